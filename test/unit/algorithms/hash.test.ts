import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hash32, mix32 } from '../../../internal/algorithms/hash.ts';

describe('mix32', () => {
  it('is the finalizer of MurmurHash3', () => {
    // MurmurHash3_x86_32 of no bytes is the finalizer of its seed.
    assert.equal(mix32(0), 0);
    assert.equal(mix32(1), 0x514e28b7);
    assert.equal(mix32(0xffffffff), 0x81f16f39);
  });

  it('changes about half of the output bits with any input bit', () => {
    for (let bit = 0; bit < 32; bit += 1) {
      let changed = 0;
      for (let value = 0; value < 1_000; value += 1) changed += bitsOf(mix32(value) ^ mix32(value ^ (1 << bit)));
      assert.ok(Math.abs(changed / 1_000 - 16) < 1, `bit ${bit} changes ${changed / 1_000} bits`);
    }
  });
});

describe('hash32', () => {
  it('is mixed FNV-1a', () => {
    assert.equal(hash32(''), mix32(0x811c9dc5));
    assert.equal(hash32('a'), mix32(0xe40c292c));
    assert.equal(hash32('foobar'), mix32(0xbf9cf968));
  });

  it('is an unsigned 32-bit integer for any text', () => {
    for (const text of ['', '/', 'ü', '負荷', '😀', 'x'.repeat(10_000)]) {
      const hash = hash32(text);
      assert.ok(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32, `${text.slice(0, 10)}: ${hash}`);
    }
  });

  it('spreads similar texts evenly', () => {
    const buckets = Array.from({ length: 16 }, () => 0);
    for (let n = 0; n < 16_000; n += 1) {
      const bucket = hash32(`10.0.0.1/items/${n}`) >>> 28;
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) assert.ok(Math.abs(count - 1_000) < 150, `buckets ${buckets.join(' ')}`);
  });

  it('gives unrelated hashes under different seeds', () => {
    let differing = 0;
    for (let n = 0; n < 1_000; n += 1) differing += bitsOf(hash32(`key ${n}`, 1) ^ hash32(`key ${n}`, 2));
    assert.ok(Math.abs(differing / 1_000 - 16) < 1);
  });
});

function bitsOf(value: number): number {
  let count = 0;
  for (let rest = value >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}
