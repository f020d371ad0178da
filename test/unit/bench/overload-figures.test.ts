import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { figuresOf } from '../../bench/overload/figures.ts';
import type { Visit } from '../../bench/overload/load.ts';
import { CAPACITY } from '../../bench/overload/plan.ts';

const PACE = { calm: 2, overload: 4, settle: 2, recovery: 3 };

/** One visit each 2.5 ms. */
function visits(of: (dueAt: number, index: number) => Pick<Visit, 'ms' | 'status'>): Visit[] {
  return Array.from({ length: 3_600 }, (_, index) => ({ dueAt: index * 2.5, lateMs: 0, ...of(index * 2.5, index) }));
}

describe('the figures of an overload', () => {
  it('are those of its measured part, in shares of the capacity and of the requests', () => {
    const figures = figuresOf(
      visits((dueAt, index) => {
        if (dueAt < 4_000 || dueAt >= 6_000) return { ms: 10, status: 200 };
        if (index % 4 === 0) return { ms: 2_000, status: null };
        return index % 4 === 1 ? { ms: 3, status: 503 } : { ms: 100, status: 200 };
      }),
      PACE,
    );
    assert.deepEqual(
      [figures.offered, figures.goodput, figures.refused, figures.gaveUp],
      [40_000 / CAPACITY, 20_000 / CAPACITY, 25, 25],
    );
    assert.deepEqual([figures.p50, figures.p99, figures.refusedP99, figures.recovery], [100, 100, 3, 0]);
  });

  it('tell when latencies are as they were, and stay so for a second', () => {
    const recovered = (after: number) =>
      figuresOf(
        visits((dueAt) => ({ ms: dueAt > 3_000 && dueAt < 6_000 + after ? 400 : 10, status: 200 })),
        PACE,
      ).recovery;
    assert.equal(recovered(0), 0);
    assert.ok(Math.abs(recovered(1_000) - 1) <= 0.11);
    assert.equal(recovered(2_500), Number.POSITIVE_INFINITY);
  });

  it('have no latency where nobody was answered', () => {
    const figures = figuresOf(
      visits(() => ({ ms: 2_000, status: null })),
      PACE,
    );
    assert.deepEqual([figures.goodput, figures.gaveUp, figures.p99], [0, 100, Number.NaN]);
  });
});
