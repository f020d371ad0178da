import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TokenBucket } from '../../../../internal/proxy/explain/token-bucket.ts';

const taken = (bucket: TokenBucket, times: readonly number[], cost = 1) =>
  times.filter((now) => bucket.take(cost, now)).length;

describe('a token bucket', () => {
  it('lets so many through at once, then so many of each second, evenly', () => {
    const bucket = new TokenBucket(10, 0);
    assert.equal(taken(bucket, Array<number>(50).fill(0)), 10);
    const everyMs = Array.from({ length: 1_000 }, (_, ms) => 1 + ms);
    assert.equal(taken(bucket, everyMs), 10);
    const last = Array.from({ length: 1_000 }, (_, ms) => 1_001 + ms).filter((now) => bucket.take(1, now));
    assert.deepEqual(
      last.map((now, index) => now - (last[index - 1] ?? now - 100)),
      Array<number>(10).fill(100),
    );
  });

  it('saves up no more than those of one second', () => {
    const bucket = new TokenBucket(10, 0);
    assert.equal(taken(bucket, Array<number>(50).fill(60_000)), 10);
  });

  it('lets what is dearer than all it has be paid for afterwards', () => {
    const bucket = new TokenBucket(10, 0);
    const everyMs = Array.from({ length: 10_001 }, (_, ms) => ms);
    assert.equal(taken(bucket, everyMs, 20), 6, 'one at once, then one for each two seconds');
  });
});
