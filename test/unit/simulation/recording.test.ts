import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestRecord } from '../../../internal/proxy/engine.ts';
import { LogReader } from '../../../internal/simulation/recording.ts';
import { attemptOf, lineOf, recordOf } from '../../support/request-record.ts';

interface Changes extends Partial<Pick<RequestRecord, 'service' | 'algorithm' | 'status'>> {
  readonly upstream?: string;
}

/** @param end - epoch milliseconds. */
function line(end: number, { upstream = 'a', ...changes }: Changes = {}): string {
  const attempts = [attemptOf({ upstream, headMs: 10, totalMs: 10 })];
  return lineOf(recordOf({ at: end - 10, algorithm: 'round-robin', attempts, totalMs: 10, ...changes }));
}

function read(lines: readonly string[], wanted: string | null = null): LogReader {
  const reader = new LogReader(wanted);
  for (const each of lines) reader.add(each);
  return reader;
}

describe('a log', () => {
  it('is kept by service, in the order of the arrivals', () => {
    const reader = read([line(1_030), line(1_010), line(1_020, { service: 'shop' })]);
    assert.deepEqual(reader.services, ['shop', 'web']);
    const { startedAt, requests, span } = reader.recording('web') ?? assert.fail();
    assert.deepEqual([startedAt, requests.length, span], [1_000, 2, { from: 0, to: 21 }]);
    assert.equal(reader.recording('other'), null);
  });

  it('keeps only the requests that are wanted, and knows of the others', () => {
    const reader = read([line(1), line(2, { service: 'shop' })], 'web');
    assert.deepEqual(reader.services, ['shop', 'web']);
    assert.equal(reader.recording('shop'), null);
  });

  it('counts what is of no use by its reason', () => {
    const reader = read(['{', '', 'x', '{"msg":"up"}', line(1)]);
    assert.deepEqual(
      [...reader.unusable],
      [
        ['are not JSON', 2],
        ['are other messages of the log', 1],
      ],
    );
  });

  it('is of the algorithm that most requests went by', () => {
    const lines = [line(1), line(2), line(3, { algorithm: 'least-time' })];
    const { algorithm, otherwise } = read(lines).recording('web') ?? assert.fail();
    assert.deepEqual([algorithm, otherwise], ['round-robin', 1]);
  });

  it('has figures of its own', () => {
    const ledger = read([line(1_000), line(1_001, { upstream: 'b', status: 502 })])
      .recording('web')
      ?.ledger();
    const { p50, p99, failed } = ledger?.figures({ from: 0, to: 10 }) ?? assert.fail();
    assert.deepEqual([p50, p99, failed], [10, Number.POSITIVE_INFINITY, 0.5]);
  });
});
