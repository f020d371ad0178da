import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BUCKETS, bucketOf } from '../../../../internal/model/latency-buckets.ts';
import { durationDistribution } from '../../../../internal/proxy/metrics/duration-distribution.ts';

function counted(...milliseconds: number[]): Float64Array {
  const counts = new Float64Array(BUCKETS);
  for (const time of milliseconds) counts[bucketOf(time)] = (counts[bucketOf(time)] ?? 0) + 1;
  return counts;
}

describe('the distribution of durations', () => {
  it('counts what was not longer than each bound', () => {
    const { buckets, count } = durationDistribution(counted(0.05, 0.7, 4, 4, 90, 45_000, 600_000));
    assert.equal(count, 7);
    const at = (bound: number) => buckets.find(({ le }) => le === bound)?.count;
    assert.deepEqual([0.0005, 0.001, 0.0025, 0.005, 0.05, 0.1, 30].map(at), [1, 2, 2, 4, 4, 5, 5]);
    assert.equal(at(Number.POSITIVE_INFINITY), 7);
  });

  it('has bounds that times within 3.7 % may miss, and no others', () => {
    const { buckets } = durationDistribution(counted());
    assert.equal(buckets.length, 16);
    for (const { le } of buckets.slice(0, -1)) {
      const at = (seconds: number) =>
        durationDistribution(counted(seconds * 1_000)).buckets.find((bucket) => bucket.le === le)?.count;
      assert.equal(at(le / 1.075), 1, `${le}`); // one fine bucket, whatever side of the bound it ends on
      assert.equal(at(le * 1.075), 0, `${le}`);
    }
  });

  it('estimates the sum to a few percent', () => {
    const times = Array.from({ length: 500 }, (_, index) => 0.2 + index ** 1.5);
    const exact = times.reduce((sum, time) => sum + time, 0) / 1_000;
    const { sum } = durationDistribution(counted(...times));
    assert.ok(Math.abs(sum / exact - 1) < 0.04, `${sum} for ${exact}`);
  });
});
