import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestRecord } from '../../../internal/proxy/engine.ts';
import { readLogLine } from '../../../internal/simulation/log-line.ts';
import { AT, attemptOf, failedAttempt, lineOf, recordOf } from '../../support/request-record.ts';

function read(changes: Partial<RequestRecord> = {}) {
  const request = readLogLine(lineOf(recordOf(changes)));
  assert.ok(typeof request === 'object', 'the line is not used');
  return request;
}

describe('a JSON line of the access log', () => {
  it('is read as the balancer writes it', () => {
    const { attempts, ...request } = read({ attempts: [attemptOf({ weight: 2 })] });
    assert.deepEqual(request, {
      service: 'web',
      algorithm: 'least-time',
      startedAt: AT,
      method: 'GET',
      client: '10.0.0.1',
      target: '/a?b',
      succeeded: true,
    });
    const outcome = { kind: 'completed', status: 200 };
    assert.deepEqual(attempts, [
      { upstream: 'web-1', weight: 2, startedAt: AT, headMs: 10, tailMs: 5, status: 200, outcome },
    ]);
  });

  it('tells when each attempt began, and how long it took', () => {
    const good = attemptOf({ upstream: 'web-2', afterMs: 13, headMs: 9, totalMs: 11 });
    const { attempts } = read({ attempts: [failedAttempt({ afterMs: 2 }), good], queueMs: 2, totalMs: 24 });
    assert.deepEqual(
      attempts.map((attempt) => [attempt.startedAt - AT, attempt.headMs, attempt.tailMs, attempt.status]),
      [
        [2, 6, 0, null],
        [13, 9, 2, 200],
      ],
    );
    assert.deepEqual(attempts[0]?.outcome, { kind: 'connect-failed', cause: 'ECONNREFUSED' });
  });

  it('begins its only attempt when the wait was over', () => {
    const { attempts } = read({ queueMs: 30, totalMs: 45, attempts: [attemptOf({ afterMs: 30 })] });
    assert.deepEqual([attempts[0]?.startedAt, attempts[0]?.tailMs], [AT + 30, 5]);
  });

  it('tells failures from successes', () => {
    assert.equal(read({ status: 500 }).succeeded, false);
    assert.equal(read({ status: 404 }).succeeded, true);
    const attempts = [failedAttempt({ outcome: 'reset: ECONNRESET' })];
    assert.equal(read({ status: 502, attempts }).succeeded, false);
  });

  const line = lineOf(recordOf());
  const left = [failedAttempt({ outcome: 'client-closed' })];
  for (const [why, text] of [
    ['are not JSON', 'Jan 01 12:00:00 started'],
    ['are not JSON', '"termination"'],
    ['are not JSON', line.slice(0, -20)],
    ['are other messages of the log', '{"level":30,"msg":"upstream removed"}'],
    ['are broken', line.replace('"totalMs":15', '"totalMs":"15"')],
    ['are broken', line.replace('"status":200', '"status":200,"outcome":"done"')],
    ['went to no upstream', lineOf(recordOf({ status: 503, attempts: [] }))],
    ['ended because the client left', lineOf(recordOf({ status: 499, attempts: left }))],
    ['became a tunnel', lineOf(recordOf({ status: 101 }))],
  ] as const) {
    it(`is counted among those that ${why}: ${text.slice(0, 40).trim()}`, () => {
      assert.equal(readLogLine(text), why);
    });
  }
});
