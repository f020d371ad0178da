import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exponential, logNormal, randomFrom } from '../../../internal/simulation/random.ts';

function draws(count: number, draw: () => number): number[] {
  return Array.from({ length: count }, draw).sort((a, b) => a - b);
}

describe('random numbers', () => {
  it('are the same for the same seed, and others for another', () => {
    const [one, same, other] = [1, 1, 2].map((seed) => draws(10, randomFrom(seed)));
    assert.deepEqual(one, same);
    assert.notDeepEqual(one, other);
  });

  it('have the mean of an exponential distribution', () => {
    const random = randomFrom(1);
    const all = draws(50_000, () => exponential(random, 4));
    const mean = all.reduce((sum, each) => sum + each, 0) / all.length;
    assert.ok(Math.abs(mean - 4) < 0.1, `mean ${mean}`);
    assert.ok(Math.abs((all[25_000] ?? 0) - 4 * Math.LN2) < 0.1, `median ${all[25_000]}`);
  });

  it('have the quantiles of a log-normal distribution', () => {
    const random = randomFrom(1);
    const all = draws(50_000, () => logNormal(random, 10, 0.5));
    assert.ok(Math.abs((all[25_000] ?? 0) - 10) < 0.2, `median ${all[25_000]}`);
    assert.ok(Math.abs((all[49_500] ?? 0) - 10 * Math.exp(2.326 * 0.5)) < 1.5, `99 % ${all[49_500]}`);
    assert.deepEqual(
      draws(3, () => logNormal(random, 10, 0)),
      [10, 10, 10],
    );
  });
});
