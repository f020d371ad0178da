import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  errorOutlier,
  type Interval,
  inWords,
  latencyOutlier,
  PoolIntervals,
} from '../../../internal/health/outliers.ts';

function interval(some: Partial<Interval> = {}): Interval {
  const { requests = 1_000, failures = 0, typicalMs = 10 } = some;
  return { requests, failures, answers: some.answers ?? requests - failures, typicalMs };
}

function failsMore(own: Interval, others: readonly Interval[]): string | null {
  return errorOutlier(own, new PoolIntervals([own, ...others]), 0.1);
}

function isSlower(own: Interval, others: readonly Interval[]): string | null {
  return latencyOutlier(own, new PoolIntervals([own, ...others]), 5);
}

describe('an upstream that fails more requests than the others', () => {
  it('is told with both rates', () => {
    const others = [interval({ failures: 4 }), interval({ failures: 4 })];
    assert.equal(failsMore(interval({ failures: 310 }), others), '31 % errors, the others 0.4 %');
  });

  it('is let be where the others fail as many', () => {
    const failing = interval({ failures: 500 });
    assert.equal(failsMore(failing, [failing, failing]), null);
  });

  it('is let be as long as there were few requests, to it or to the others', () => {
    const [none, few] = [interval(), interval({ requests: 19, failures: 19 })];
    assert.equal(failsMore(few, [none, none]), null);
    assert.equal(failsMore(interval({ failures: 900 }), [interval({ requests: 19 })]), null);
    assert.equal(failsMore(interval({ failures: 900 }), []), null);
    assert.notEqual(failsMore(interval({ requests: 20, failures: 20 }), [none]), null);
  });

  it('is found among one of two that are broken, and beside one that is broken as well', () => {
    const [fine, broken] = [interval(), interval({ failures: 900 })];
    assert.notEqual(failsMore(broken, [fine]), null);
    assert.notEqual(failsMore(broken, [broken, fine, fine, fine, fine]), null);
  });

  it('is found by 1.9 σ in a pool of five', () => {
    const noisy = [0, 30, 60, 90].map((failures) => interval({ requests: 200, failures }));
    const own = interval({ requests: 200, failures: 130 });
    // the others' median is 15 % to 30 %: by that alone, 65 % is far beyond, so is it by σ
    assert.notEqual(failsMore(own, noisy), null);
    assert.equal(failsMore(interval({ requests: 200, failures: 30 }), noisy), null);
  });

  it('never is in a pool where all fail alike but for chance', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 2, maxLength: 12 });
    const pools = fc.record({ base: fc.integer({ min: 0, max: 900 }), counts });
    fc.assert(
      fc.property(pools, ({ base, counts: noise }) => {
        const all = noise.map((more) => interval({ failures: base + more }));
        for (const own of all) {
          assert.equal(
            failsMore(
              own,
              all.filter((other) => other !== own),
            ),
            null,
          );
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

describe('an upstream that is slower than the others', () => {
  it('is told with both times', () => {
    const cause = isSlower(interval({ typicalMs: 1_900 }), [interval({ typicalMs: 40 })]);
    assert.equal(cause, 'answers take 1.9 s, the others 40 ms');
  });

  it('is let be when it is slower by little, or by a small factor', () => {
    assert.equal(isSlower(interval({ typicalMs: 200 }), [interval({ typicalMs: 1 })]), null);
    assert.equal(isSlower(interval({ typicalMs: 4_000 }), [interval({ typicalMs: 1_000 })]), null);
  });

  it('is let be as long as there were few answers, from it or from the others', () => {
    const slow = interval({ typicalMs: 5_000, answers: 19 });
    assert.equal(isSlower(slow, [interval()]), null);
    assert.equal(isSlower(interval({ typicalMs: 5_000 }), [interval({ answers: 0, typicalMs: Number.NaN })]), null);
  });

  it('is one of the minority: never are all outliers', () => {
    const times = fc.array(fc.double({ min: 0.01, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(times, (all) => {
        const pool = all.map((typicalMs) => interval({ typicalMs }));
        const slow = pool.filter(
          (own) =>
            isSlower(
              own,
              pool.filter((other) => other !== own),
            ) !== null,
        );
        assert.ok(slow.length <= pool.length / 2, `${slow.length} of ${pool.length}`);
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

describe('what is usual beside one of a pool', () => {
  it('is the median of the others, the upper of two', () => {
    const times = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(times, (all) => {
        const pool = new PoolIntervals(all.map((typicalMs) => interval({ typicalMs })));
        for (const [index, own] of all.entries()) {
          const others = all.toSpliced(index, 1).toSorted((a, b) => a - b);
          assert.equal(pool.typicalMsBeside(own), others[others.length >> 1] ?? null);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

describe('a time in words', () => {
  it('has two digits or so', () => {
    assert.deepEqual([0.123, 9.96, 40.4, 999, 1_900, 65_000].map(inWords), [
      '0.1 ms',
      '10 ms',
      '40 ms',
      '999 ms',
      '1.9 s',
      '65 s',
    ]);
  });
});
