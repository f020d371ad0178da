import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BUCKETS } from '../../../internal/model/latency-buckets.ts';
import { addSparse, sparseOf, sparseSince } from '../../../internal/model/sparse-counts.ts';

describe('sparse counts', () => {
  it('tell the same as the counts they are made of', () => {
    const counts = new Uint32Array(BUCKETS);
    counts.set([3, 0, 0, 7]);
    counts[BUCKETS - 1] = 1;
    assert.deepEqual(sparseOf(counts), [0, 3, 3, 7, BUCKETS - 1, 1]);
    const sums = new Float64Array(BUCKETS);
    addSparse(sums, sparseOf(counts));
    addSparse(sums, [3, 1]);
    assert.deepEqual(sparseOf(sums), [0, 3, 3, 8, BUCKETS - 1, 1]);
  });

  it('leave out a bucket that there is not, and half a pair', () => {
    const sums = new Float64Array(BUCKETS);
    addSparse(sums, [BUCKETS, 5, 2, 1, 4]);
    assert.deepEqual(sparseOf(sums), [2, 1]);
  });

  it('tell what came on top of earlier ones', () => {
    assert.deepEqual(sparseSince([1, 2, 5, 1], [0, 4, 1, 2, 5, 3, 9, 1]), [0, 4, 5, 2, 9, 1]);
    assert.deepEqual(sparseSince([], [1, 2]), [1, 2]);
  });
});
