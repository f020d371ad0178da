import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HalfSipHash } from '../../../../internal/proxy/rate-limit/half-sip-hash.ts';

/** Of the reference implementation: the key is 00 01 … 07, the text 00 01 … of the given length. */
const VECTORS: Readonly<Record<number, string>> = {
  0: '218d1f59b9b83cc8',
  1: 'be552412f8387315',
  2: '064f39ef7c50eb57',
  3: 'ce0f1a45f7060679',
  4: 'd5e78a175be52ea1',
  5: 'cb9d7c3f2f3db580',
  6: 'ce3e91358aa2bc25',
  7: 'ff202728b07bc684',
  63: '2ea63c71bf326087',
};

function digest(text: string, key = { low: 0x03020100, high: 0x07060504 }): string {
  const { low, high } = new HalfSipHash(key).digest(text);
  const octets = Buffer.alloc(8);
  octets.writeInt32LE(low, 0);
  octets.writeInt32LE(high, 4);
  return octets.toString('hex');
}

describe('HalfSipHash', () => {
  it('gives what the reference implementation gives', () => {
    for (const [length, expected] of Object.entries(VECTORS)) {
      const text = String.fromCharCode(...Array.from({ length: Number(length) }, (_, octet) => octet));
      assert.equal(digest(text), expected, `of ${length} octets`);
    }
  });

  it('gives something else under another key', () => {
    assert.notEqual(digest('10.0.0.1', { low: 1, high: 2 }), digest('10.0.0.1', { low: 1, high: 3 }));
    assert.notEqual(digest('10.0.0.1', { low: 1, high: 2 }), digest('10.0.0.1', { low: 0, high: 2 }));
  });
});
