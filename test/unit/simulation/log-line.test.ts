import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestRecord } from '../../../internal/proxy/engine.ts';
import { logRequest } from '../../../internal/proxy/request-log.ts';
import { readLogLine } from '../../../internal/simulation/log-line.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { attemptOf, failedAttempt, recordOf } from '../../support/request-record.ts';

const RECORD = recordOf({ target: '/a', attempts: [attemptOf({ weight: 2 })] });

function lineOf(changes: Partial<RequestRecord> = {}): string {
  let line = '';
  const write = (text: string) => {
    line = text;
  };
  logRequest(createLogger({ name: 't', level: 'info', pretty: false, destination: { write } }), {
    ...RECORD,
    ...changes,
  });
  return line;
}

function read(changes: Partial<RequestRecord> = {}) {
  const request = readLogLine(lineOf(changes));
  assert.ok(typeof request === 'object', 'the line is not used');
  return request;
}

describe('a line of the request log', () => {
  it('is read as the balancer writes it', () => {
    const before = Date.now();
    const { startedAt, attempts, ...request } = read();
    assert.ok(startedAt >= before - 15 && startedAt <= Date.now() - 15, 'the line is written at the end');
    assert.deepEqual(request, {
      service: 'web',
      algorithm: 'least-time',
      method: 'GET',
      client: '10.0.0.1',
      target: '/a',
      succeeded: true,
    });
    const outcome = { kind: 'completed', status: 200 };
    assert.deepEqual(attempts, [
      { upstream: 'web-1', weight: 2, startedAt, headMs: 10, tailMs: 5, status: 200, outcome },
    ]);
  });

  it('gives the time that no attempt accounts for to those that failed', () => {
    const good = attemptOf({ upstream: 'web-2', headMs: 9 });
    const { startedAt, attempts } = read({ attempts: [failedAttempt(), good] });
    assert.deepEqual(
      attempts.map((attempt) => [attempt.startedAt - startedAt, attempt.headMs, attempt.tailMs, attempt.status]),
      [
        [0, 6, 0, null],
        [6, 9, 0, 200],
      ],
    );
    assert.deepEqual(attempts[0]?.outcome, { kind: 'connect-failed', cause: 'ECONNREFUSED' });
  });

  it('tells failures from successes', () => {
    assert.equal(read({ status: 500 }).succeeded, false);
    assert.equal(read({ status: 404 }).succeeded, true);
    const attempts = [failedAttempt({ outcome: 'reset: ECONNRESET' })];
    assert.equal(read({ status: 502, attempts }).succeeded, false);
  });

  it('knows no algorithm where an older version wrote none', () => {
    const { algorithm: _, ...older } = JSON.parse(lineOf());
    const request = readLogLine(JSON.stringify(older));
    assert.equal(typeof request === 'object' && request.algorithm, null);
  });

  const left = failedAttempt({ outcome: 'client-closed' });
  for (const [why, line] of [
    ['are not JSON', 'Jan 01 12:00:00 started'],
    ['are not JSON', '"attempts"'],
    ['are not JSON', lineOf().slice(0, -20)],
    ['are other messages of the log', '{"level":30,"msg":"upstream removed"}'],
    ['are broken', lineOf().replace('"totalMs":15', '"totalMs":"15"')],
    ['are broken', lineOf().replace('"outcome":"completed"', '"outcome":"done"')],
    ['went to no upstream', lineOf({ status: 503, attempts: [] })],
    ['ended because the client left', lineOf({ status: 499, attempts: [left] })],
    ['became a tunnel', lineOf({ status: 101 })],
  ] as const) {
    it(`is counted among those that ${why}: ${line.slice(0, 40).trim()}`, () => {
      assert.equal(readLogLine(line), why);
    });
  }
});
