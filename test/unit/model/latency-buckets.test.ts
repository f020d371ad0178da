import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BUCKETS, bucketOf, quantile, upperBound } from '../../../internal/model/latency-buckets.ts';

function counted(times: readonly number[]): Uint32Array {
  const counts = new Uint32Array(BUCKETS);
  for (const time of times) counts[bucketOf(time)]! += 1;
  return counts;
}

describe('the buckets of latencies', () => {
  it('follow one another without a gap, each 7.3 % wide', () => {
    for (let bucket = 1; bucket < BUCKETS - 2; bucket += 1) {
      const end = upperBound(bucket);
      assert.equal(bucketOf(end * 0.9999), bucket);
      assert.equal(bucketOf(end * 1.0001), bucket + 1);
      assert.ok(Math.abs(end / upperBound(bucket - 1) - 1.0725) < 0.001);
    }
  });

  it('take any number', () => {
    assert.deepEqual([0, -1, Number.NaN, 0.05].map(bucketOf), [0, 0, 0, 0]);
    assert.deepEqual([60_000, 1e9, Number.POSITIVE_INFINITY].map(bucketOf), [191, 191, 191]);
    assert.deepEqual([bucketOf(0.1), bucketOf(59_999)], [1, 190]);
    assert.equal(upperBound(BUCKETS - 1), Number.POSITIVE_INFINITY);
  });

  it('give quantiles to the width of one, whatever the distribution', () => {
    const distributions = [
      Array.from({ length: 10_000 }, (_, i) => 1 + i / 10), // even
      Array.from({ length: 10_000 }, (_, i) => -20 * Math.log(1 - (i + 0.5) / 10_000) + 0.2), // exponential
      Array.from({ length: 1_000 }, (_, i) => (i < 950 ? 5 + i / 1_000 : 2_000 + i)), // two humps
    ];
    for (const times of distributions) {
      for (const q of [0.5, 0.9, 0.95, 0.99]) {
        const exact = times.toSorted((a, b) => a - b)[Math.ceil(q * times.length) - 1] ?? 0;
        const found = quantile(counted(times), q);
        assert.ok(Math.abs(found / exact - 1) < 0.073, `p${q * 100} of ${exact} was ${found}`);
      }
    }
  });

  it('have no quantile without times, and know no more than a minute', () => {
    assert.equal(quantile(new Uint32Array(BUCKETS), 0.99), Number.NaN);
    assert.equal(quantile(counted([70_000, 80_000]), 0.5), 60_000);
    assert.ok(quantile(counted([0.01, 0.02]), 0.5) <= 0.1);
  });
});
