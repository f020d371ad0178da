import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tally } from '../../../pkg/stress-test/tally.ts';

const answer = (value: string) => ({ status: 200, headers: ['X-Server', value] });

describe('the tally of a run', () => {
  it('counts the time from when a request was due and from when it was sent', () => {
    const tally = new Tally(null, 0);
    tally.answered({ intendedMs: 0, sentMs: 90 }, answer('a'), 100);
    const { latency, service, bars } = tally.result();
    assert.ok(Math.abs(latency.max - 100) < 1 && Math.abs(service.max - 10) < 0.1);
    assert.equal(bars[9], 1);
  });

  it('lets what was waited for in vain count as failed, and as slow', () => {
    const tally = new Tally(null, 0);
    tally.waitedInVain('timeout', 60_000);
    tally.failed('ECONNREFUSED');
    const { errors, latency, bars } = tally.result();
    assert.deepEqual(errors, { timeout: 1, ECONNREFUSED: 1 });
    assert.equal(latency.count, 1);
    assert.equal(bars.at(-1), 1);
  });

  it('counts values of the header together that are too many', () => {
    const tally = new Tally('x-server', 0);
    for (let n = 0; n < 103; n += 1) tally.answered({ intendedMs: 0, sentMs: 0 }, answer(`s${n}`), 1);
    const values = tally.result().by?.values ?? {};
    assert.equal(Object.keys(values).length, 101);
    assert.equal(values['(others)']?.answers, 3);
  });

  it('keeps a timeline, without the rest of the last second', () => {
    const tally = new Tally(null, 1_000);
    tally.answered({ intendedMs: 1_000, sentMs: 1_000 }, answer('a'), 1_010);
    tally.failed('ECONNRESET');
    assert.deepEqual(tally.tick(3_000)?.failures, 0.5);
    assert.equal(tally.tick(3_050), null);
    const [second, ...others] = tally.result().timeline;
    assert.deepEqual([second?.at, second?.answers, others.length], [2, 0.5, 0]);
  });
});
