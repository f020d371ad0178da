import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExportLog } from '../../../pkg/tracing/export-log.ts';
import { hrTime } from '../../../pkg/tracing/readable-span.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';

describe('the time of a span', () => {
  it('is seconds and nanoseconds, of which there are never as many as in a second', () => {
    assert.deepEqual(hrTime(1_500.25), [1, 500_250_000]);
    assert.deepEqual(hrTime(1_999.9999999999998), [1, 999_999_999]);
    assert.deepEqual(hrTime(2_000), [2, 0]);
  });
});

describe('a receiver that takes no spans', () => {
  it('is told of when it begins, every five minutes, and when it is over', () => {
    let now = 0;
    const lines: { readonly level: number; readonly lostSpans: number; readonly msg: string }[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const log = new ExportLog(
      createLogger({ name: 'test', level: 'info', pretty: false, destination }),
      'http://x/v1/traces?key=secret',
      () => now,
    );
    log.succeeded();
    assert.equal(lines.length, 0);
    log.failed(2, 'ECONNREFUSED');
    now += 299_999;
    log.failed(3, 'ECONNREFUSED');
    now += 1;
    log.failed(4, 'ECONNREFUSED');
    log.failed(5, 'ECONNREFUSED');
    log.succeeded();
    log.succeeded();
    assert.match(lines[0]?.msg ?? '', /^spans cannot be exported to http:\/\/x\/v1\/traces: ECONNREFUSED/);
    assert.deepEqual(
      lines.map(({ level, lostSpans }) => [level, lostSpans]),
      [
        [40, 2],
        [40, 7],
        [30, 5],
      ],
    );
  });
});
