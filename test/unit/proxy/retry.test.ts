import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outcome } from '../../../internal/proxy/outcome.ts';
import { mayRetry, resetsOf, RetryBudget, type RetryQuestion, retryRefusal } from '../../../internal/proxy/retry.ts';

const SETTINGS = { attempts: 2, budget: 0.2 };
const CONNECT_FAILED: Outcome = { kind: 'connect-failed', cause: 'ECONNREFUSED' };
const RESET: Outcome = { kind: 'reset', cause: 'ECONNRESET' };

function question(overrides: Partial<RetryQuestion>): RetryQuestion {
  return {
    outcome: CONNECT_FAILED,
    method: 'GET',
    hasIdempotencyKey: false,
    bodyReplayable: true,
    attempts: 1,
    resets: 0,
    ...overrides,
  };
}

describe('mayRetry', () => {
  it('repeats any method after a failed connect, because nothing was sent', () => {
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE'])
      assert.ok(mayRetry(question({ method }), SETTINGS), method);
  });

  it('repeats after a reset only what does no harm twice', () => {
    const repeated = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'POST', 'PATCH', 'LOCK'].filter((method) =>
      mayRetry(question({ outcome: RESET, method }), SETTINGS),
    );
    assert.deepEqual(repeated, ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
    assert.ok(mayRetry(question({ outcome: RESET, method: 'POST', hasIdempotencyKey: true }), SETTINGS));
  });

  it('repeats nothing whose body is gone', () => {
    assert.ok(!mayRetry(question({ bodyReplayable: false }), SETTINGS));
  });

  it('repeats no timeout, nothing that the client has seen a part of, and nothing it left', () => {
    const outcomes: Outcome[] = [
      { kind: 'head-timeout', cause: '' },
      { kind: 'truncated', cause: '' },
      { kind: 'client-closed' },
      { kind: 'completed', status: 503 },
    ];
    for (const outcome of outcomes) assert.ok(!mayRetry(question({ outcome }), SETTINGS), outcome.kind);
  });

  // A request that crashes whoever gets it would take down one instance per attempt.
  it('repeats a request that broke its connection once, not twice', () => {
    const reset: Outcome = { kind: 'reset', cause: 'ECONNRESET' };
    assert.ok(mayRetry(question({ outcome: reset, attempts: 1, resets: 1 }), SETTINGS));
    assert.ok(!mayRetry(question({ outcome: reset, attempts: 2, resets: 2 }), SETTINGS));
    assert.ok(mayRetry(question({ outcome: reset, attempts: 2, resets: 1 }), SETTINGS), 'after a failed connect');
  });

  it('tells why not', () => {
    const reset: Outcome = { kind: 'reset', cause: 'ECONNRESET' };
    const refusals = [
      question({}),
      question({ outcome: reset, method: 'POST' }),
      question({ outcome: reset, attempts: 2, resets: 2 }),
      question({ outcome: { kind: 'head-timeout', cause: '' } }),
      question({ outcome: { kind: 'truncated', cause: '' } }),
      question({ bodyReplayable: false }),
      question({ attempts: 3 }),
    ].map((each) => retryRefusal(each, SETTINGS));
    assert.deepEqual(refusals, [
      null,
      'method-not-idempotent',
      'broke-twice',
      'timed-out',
      'over',
      'body-gone',
      'attempts-used-up',
    ]);
  });

  it('stops after the configured number of further attempts', () => {
    assert.ok(mayRetry(question({ attempts: 2 }), SETTINGS));
    assert.ok(!mayRetry(question({ attempts: 3 }), SETTINGS));
    assert.ok(!mayRetry(question({ attempts: 1 }), { ...SETTINGS, attempts: 0 }));
  });
});

describe('resetsOf', () => {
  it('counts the attempts that broke, with the last one as it would end', () => {
    const [running, failed, reset] = [{ outcome: null }, { outcome: CONNECT_FAILED }, { outcome: RESET }];
    assert.equal(resetsOf([reset, failed, running], RESET), 2);
    assert.equal(resetsOf([reset, failed, running], CONNECT_FAILED), 1);
    assert.equal(resetsOf([reset], RESET), 1); // it has ended so
  });
});

describe('RetryBudget', () => {
  const FREE = 100;
  let now = 0;
  const granted = (budget: RetryBudget, tries: number) =>
    Array.from({ length: tries }, () => budget.take(SETTINGS)).filter(Boolean).length;

  it('grants ten retries per second of its window, however small the load', () => {
    now = 0;
    assert.equal(granted(new RetryBudget(() => now), 500), FREE);
  });

  it('grants the share of the requests on top', () => {
    now = 50_000;
    const budget = new RetryBudget(() => now);
    for (let i = 0; i < 1_000; i += 1) budget.requestStarted();
    assert.equal(granted(budget, 1_000), FREE + 200);
  });

  it('tells whether there is one left without taking it', () => {
    now = 0;
    const budget = new RetryBudget(() => now);
    assert.ok(budget.has(SETTINGS));
    assert.equal(granted(budget, 500), FREE);
    assert.ok(!budget.has(SETTINGS));
  });

  it('forgets requests and retries after ten seconds, and not before', () => {
    now = 3_000;
    const budget = new RetryBudget(() => now);
    for (let i = 0; i < 1_000; i += 1) budget.requestStarted();
    assert.equal(granted(budget, 1_000), FREE + 200);
    now += 9_000;
    assert.equal(granted(budget, 1_000), 0);
    now += 1_000;
    assert.equal(granted(budget, 1_000), FREE);
    now += 1_000_000;
    assert.equal(granted(budget, 1_000), FREE);
  });

  it('spreads over the window: what one second spent comes back with that second', () => {
    now = 0;
    const budget = new RetryBudget(() => now);
    assert.equal(granted(budget, 60), 60);
    now = 5_000;
    assert.equal(granted(budget, 60), 40);
    now = 10_000;
    assert.equal(granted(budget, 100), 60);
    now = 15_000;
    assert.equal(granted(budget, 100), 40);
  });
});
