/** 64 bits as two signed words. */
export interface Words {
  readonly low: number;
  readonly high: number;
}

const WORD_ROUNDS = 2;
const FINAL_ROUNDS = 4;

/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein; the form of SipHash for words of 32 bits, as in the Linux
 * kernel): without the key nobody can find texts with the same hash.
 */
export class HalfSipHash implements Words {
  /** Of the last digest. */
  low = 0;
  high = 0;
  readonly #low: number;
  readonly #high: number;

  constructor(key: Words) {
    this.#low = key.low;
    this.#high = key.high;
  }

  /** @param octets - one for each character. */
  digest(octets: string): this {
    let v0 = this.#low;
    let v1 = this.#high ^ 0xee;
    let v2 = 0x6c796765 ^ this.#low;
    let v3 = 0x74656462 ^ this.#high;
    const last = octets.length >> 2; // the word that ends with the length
    for (let step = 0; step <= last + 2; step += 1) {
      const word = step < last ? wordAt(octets, step * 4) : step === last ? lastWord(octets, step * 4) : 0;
      if (step === last + 1) v2 ^= 0xee;
      if (step === last + 2) {
        this.low = v1 ^ v3;
        v1 ^= 0xdd;
      }
      v3 ^= word;
      for (let rounds = step <= last ? WORD_ROUNDS : FINAL_ROUNDS; rounds > 0; rounds -= 1) {
        v0 = (v0 + v1) | 0;
        v1 = rotated(v1, 5) ^ v0;
        v0 = rotated(v0, 16);
        v2 = (v2 + v3) | 0;
        v3 = rotated(v3, 8) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = rotated(v3, 7) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = rotated(v1, 13) ^ v2;
        v2 = rotated(v2, 16);
      }
      v0 ^= word;
    }
    this.high = v1 ^ v3;
    return this;
  }
}

function wordAt(octets: string, at: number): number {
  return (
    (octets.charCodeAt(at) & 0xff) |
    ((octets.charCodeAt(at + 1) & 0xff) << 8) |
    ((octets.charCodeAt(at + 2) & 0xff) << 16) |
    (octets.charCodeAt(at + 3) << 24)
  );
}

function lastWord(octets: string, from: number): number {
  const { length } = octets;
  let word = length << 24;
  for (let at = from; at < length; at += 1) word |= (octets.charCodeAt(at) & 0xff) << (8 * (at - from));
  return word;
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
