import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestRecord } from '../../../internal/proxy/engine.ts';
import { logRequest } from '../../../internal/proxy/request-log.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { attemptOf, failedAttempt, recordOf } from '../../support/request-record.ts';

const RECORD = recordOf({
  attempts: [failedAttempt(), attemptOf({ upstream: 'web-2', headMs: 1.23456, weight: 0.5 })],
  totalMs: 4.5678,
});

function lineOf(record: RequestRecord): Record<string, unknown> {
  const lines: string[] = [];
  logRequest(
    createLogger({ name: 't', level: 'info', pretty: false, destination: { write: (line) => lines.push(line) } }),
    record,
  );
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0]!);
}

describe('the request log', () => {
  it('has one line per request: who, what, whom it was sent to, how it ended, how long it took', () => {
    const line = lineOf(RECORD);
    assert.equal(line['msg'], '200 GET /a?b web-2 5 ms');
    assert.equal(line['level'], 30);
    const { id, client, host, service, status, upstream, totalMs, attempts } = line;
    assert.deepEqual([id, client, host, service, status], ['id-1', '10.0.0.1', 'example.com', 'web', 200]);
    assert.deepEqual([upstream, line['algorithm'], totalMs], ['web-2', 'least-time', 4.6]);
    assert.deepEqual(attempts, [
      { upstream: 'web-1', outcome: 'connect-failed: ECONNREFUSED', headMs: null },
      { upstream: 'web-2', outcome: 'completed', headMs: 1.2, weight: 0.5 },
    ]);
  });

  it('has a line also for what never reached an upstream', () => {
    const line = lineOf({ ...RECORD, service: null, status: 404, attempts: [] });
    assert.equal(line['msg'], '404 GET /a?b - 5 ms');
    assert.equal(line['upstream'], null);
  });

  it('raises its voice when a request broke by our own fault', () => {
    const line = lineOf({ ...RECORD, defect: new TypeError('a defect') });
    assert.equal(line['level'], 50);
    assert.match(JSON.stringify(line['err']), /a defect/);
  });
});
