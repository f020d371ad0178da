import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bucketOf } from '../../../internal/model/latency-buckets.ts';
import { Lease, type LeaseOwner } from '../../../internal/proxy/lease.ts';
import type { Outcome } from '../../../internal/proxy/outcome.ts';
import { upstream } from '../../support/proxy-fakes.ts';

class Owner implements LeaseOwner {
  readonly samples: { elapsed: number; failed: boolean; now: number }[] = [];
  readonly outcomes: Outcome[] = [];

  readonly gatewayErrors: { startedAt: number; now: number }[] = [];

  gatewayError(_upstream: unknown, startedAt: number, now: number): void {
    this.gatewayErrors.push({ startedAt, now });
  }

  observed(_upstream: unknown, sample: { elapsed: number; failed: boolean; now: number }): void {
    this.samples.push(sample);
  }

  released(_upstream: unknown, outcome: Outcome): void {
    this.outcomes.push(outcome);
  }
}

function lease() {
  const clock = { now: 1_000 };
  const owner = new Owner();
  const of = upstream('a');
  return { clock, owner, of, lease: new Lease(owner, of, false, () => clock.now) };
}

describe('a lease', () => {
  it('claims its upstream at once and gives it back once, with the first outcome', () => {
    const { lease: held, of, owner } = lease();
    assert.deepEqual([of.inFlight, of.picks], [1, 1]);
    held.release({ kind: 'reset', cause: 'first' });
    held.release({ kind: 'completed', status: 200 });
    held.release({ kind: 'client-closed' });
    assert.equal(of.inFlight, 0);
    assert.deepEqual(owner.outcomes, [{ kind: 'reset', cause: 'first' }]);
    assert.deepEqual(held.outcome, { kind: 'reset', cause: 'first' });
    assert.equal(of.failures, 1);
  });

  it('measures up to the response head, however long the body takes', () => {
    const { lease: held, owner, clock } = lease();
    clock.now += 30;
    held.head(200);
    clock.now += 5_000;
    held.head(200);
    held.release({ kind: 'completed', status: 200 });
    assert.deepEqual(owner.samples, [{ elapsed: 30, failed: false, now: 1_030 }]);
    assert.equal(held.headMs, 30);
  });

  it('counts how long heads took, timeouts, and those who lost patience; nobody who left at once or was still sending', () => {
    const after = (waitedMs: number, end: Outcome | number, sent = true) => {
      const { lease: held, of, clock } = lease();
      if (sent) held.sent();
      clock.now += waitedMs;
      if (typeof end === 'number') held.head(end);
      else held.release(end);
      return [...of.latencies].flatMap((count, bucket) => (count === 0 ? [] : [count, bucket]));
    };
    const once = (ms: number) => [1, bucketOf(ms)];
    assert.deepEqual(after(30, 200), once(30));
    assert.deepEqual(after(3, 500), once(3));
    assert.deepEqual(after(30_000, { kind: 'head-timeout', cause: '' }), once(30_000));
    assert.deepEqual(after(5_000, { kind: 'client-closed' }), once(5_000));
    assert.deepEqual(after(900, { kind: 'client-closed' }), []);
    assert.deepEqual(after(5_000, { kind: 'client-closed' }, false), []);
    assert.deepEqual(after(5_000, { kind: 'reset', cause: '' }), []);
    assert.deepEqual(after(5_000, { kind: 'connect-failed', cause: '' }), []);
  });

  it('measures an attempt that failed before its head as a failure', () => {
    const { lease: held, owner, clock } = lease();
    clock.now += 7;
    held.release({ kind: 'connect-failed', cause: 'ECONNREFUSED' });
    assert.deepEqual(owner.samples, [{ elapsed: 7, failed: true, now: 1_007 }]);
    assert.equal(held.headMs, null);
    held.head(200);
    assert.equal(owner.samples.length, 1, 'a head after the end was measured');
  });

  it('tells of a 5xx as of a failure, and counts it once', () => {
    const { lease: held, owner, of } = lease();
    held.head(503);
    held.release({ kind: 'completed', status: 503 });
    assert.deepEqual(
      owner.samples.map(({ failed }) => failed),
      [true],
    );
    assert.equal(of.failures, 1);
  });

  it('tells of a response that has begun and is not over', () => {
    const { lease: held, of } = lease();
    held.sent();
    assert.equal(of.observed.answering, 0);
    held.head(200);
    assert.equal(of.observed.answering, 1);
    held.release({ kind: 'truncated', cause: 'x' });
    assert.equal(of.observed.answering, 0);
    lease().lease.release({ kind: 'reset', cause: 'x' });
    assert.equal(of.observed.answering, 0);
  });

  it('says nothing about the upstream when the client left', () => {
    const { lease: held, owner, of } = lease();
    held.release({ kind: 'client-closed' });
    assert.deepEqual([owner.samples.length, of.failures, of.inFlight], [0, 0, 0]);
  });
});
