import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hangs, UsualWait, type Waiters } from '../../../internal/health/hang.ts';

const HANG_AFTER = 5_000;
const IDLE = { count: 0, ageMs: 0 };

function hangsBeside(own: Waiters, others: readonly Waiters[], limitMs: number, slowestMs: number): string | null {
  const late = others.filter(({ ageMs }) => ageMs > limitMs).length;
  return hangs(own, { count: others.length, late }, limitMs, slowestMs);
}

describe('what is usual', () => {
  it('is unknown until the pool was watched for six times as long', () => {
    const usual = new UsualWait();
    usual.learn(0, 0);
    assert.equal(usual.limit(HANG_AFTER, 100_000), Infinity, 'nobody has answered yet');
    usual.learn(20, 100_000);
    assert.equal(usual.limit(HANG_AFTER, 129_999), Infinity);
    assert.equal(usual.limit(HANG_AFTER, 130_000), HANG_AFTER);
  });

  it('is three times the slowest answer that anybody gave lately', () => {
    const usual = new UsualWait();
    usual.learn(25_000, 1_000);
    usual.learn(10, 2_000);
    assert.equal(usual.limit(HANG_AFTER, 60_000), 75_000);
  });

  it('is forgotten after five to ten minutes', () => {
    const usual = new UsualWait();
    usual.learn(25_000, 1_000);
    usual.learn(10, 301_000);
    assert.equal(usual.slowestMs, 25_000);
    usual.learn(10, 601_000);
    assert.equal(usual.slowestMs, 10);
  });
});

describe('an upstream', () => {
  it('hangs when its requests are older than any answer has taken, and those of the others are not', () => {
    const cause = hangsBeside({ count: 7, ageMs: 8_000 }, [IDLE, { count: 2, ageMs: 30 }], HANG_AFTER, 40);
    assert.equal(cause, 'its 7 requests without an answer are 8 s old on average, the slowest answer took 40 ms');
  });

  it('does not hang for two requests, or for young ones', () => {
    assert.equal(hangsBeside({ count: 2, ageMs: 20_000 }, [IDLE], HANG_AFTER, 40), null);
    assert.equal(hangsBeside({ count: 7, ageMs: 5_000 }, [IDLE], HANG_AFTER, 40), null);
  });

  it('does not hang alone when the others wait as long: somebody behind them does', () => {
    const waiting = { count: 7, ageMs: 8_000 };
    assert.equal(hangsBeside(waiting, [waiting, waiting, IDLE], HANG_AFTER, 40), null);
    assert.notEqual(hangsBeside(waiting, [waiting, IDLE, IDLE], HANG_AFTER, 40), null);
    assert.equal(hangsBeside(waiting, [], HANG_AFTER, 40), null);
  });

  it('never hangs while its requests are answered as slowly as ever, however slow that is', () => {
    const durations = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (answers, progress) => {
        const usual = new UsualWait();
        for (const elapsed of answers) usual.learn(elapsed, 1_000);
        // each of them is on its way again, any part of its time gone
        const ageMs = (answers.reduce((sum, elapsed) => sum + elapsed, 0) / answers.length) * progress;
        const limit = usual.limit(HANG_AFTER, 200_000);
        assert.equal(hangsBeside({ count: answers.length, ageMs }, [IDLE], limit, usual.slowestMs), null);
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});
