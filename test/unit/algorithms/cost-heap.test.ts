import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CostHeap, type Costs } from '../../../internal/algorithms/cost-heap.ts';
import { candidate, type TestCandidate } from './candidates.ts';

/** The cost as it is noted on the candidate, whatever the time. */
const NOTED: Costs = {
  base: ({ cost }) => cost,
  score: ({ inFlight }, base) => base * (inFlight + 1),
};

function candidates(costs: readonly number[]): TestCandidate[] {
  return costs.map((cost, n) => Object.assign(candidate(`web-${n}`), { cost }));
}

function scores(all: readonly TestCandidate[]): number[] {
  return all.map(({ cost, inFlight }) => cost * (inFlight + 1));
}

describe('the cost heap', () => {
  it('finds the smallest score, after any requests and any rise of a cost', () => {
    const rises = fc.array(fc.tuple(fc.nat(), fc.double({ min: 0, max: 50, noNaN: true }), fc.boolean()), {
      maxLength: 80,
    });
    const costs = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(costs, rises, (begin, course) => {
        const all = candidates(begin);
        const heap = new CostHeap(all, NOTED, 0);
        for (const [n, rise, ends] of course) {
          const one = all[n % all.length] ?? assert.fail();
          one.cost += rise;
          if (ends) one.inFlight = 0;
          const found = all[heap.least(0)] ?? assert.fail();
          assert.equal(found.cost * (found.inFlight + 1), Math.min(...scores(all)));
          found.inFlight += 1;
        }
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  it('looks at few of many', () => {
    let looks = 0;
    const counting: Costs = {
      base: (one) => {
        looks += 1;
        return one.cost;
      },
      score: NOTED.score,
    };
    const all = candidates(Array.from({ length: 1_000 }, (_, n) => 1 + ((n * 389) % 1_000)));
    const heap = new CostHeap(all, counting, 0);
    looks = 0;
    for (let n = 0; n < 100; n += 1) {
      const found = all[heap.least(0)] ?? assert.fail();
      found.cost += 1_000;
    }
    assert.ok(looks < 1_000, `${looks} looks for 100 searches`);
  });

  it('finds nobody in an empty list', () => {
    assert.equal(new CostHeap([], NOTED, 0).least(0), -1);
  });
});
