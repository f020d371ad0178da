import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planCores } from '../../bench/core-plan.ts';

describe('the plan of the cores', () => {
  it('keeps proxy and load apart from two cores up', () => {
    const { oneThread, load, twoCoresFree } = planCores(2);
    assert.deepEqual({ oneThread, load, twoCoresFree }, { oneThread: '0', load: '1', twoCoresFree: false });
  });

  it('gives a proxy of two threads cores of its own from three up', () => {
    const { twoThreads, load, twoCoresFree } = planCores(8);
    assert.deepEqual({ twoThreads, load, twoCoresFree }, { twoThreads: '0-1', load: '2-7', twoCoresFree: true });
    assert.equal(planCores(3).load, '2');
  });

  it('shares the cores of the load between its generator and the backends', () => {
    assert.deepEqual(
      [2, 3, 4, 8].map((cores) => planCores(cores).loadThreads),
      [1, 1, 1, 3],
    );
  });

  it('pins nothing on a single core', () => {
    const { oneThread, twoThreads, load } = planCores(1);
    assert.deepEqual([oneThread, twoThreads, load], [null, null, null]);
  });
});
