import type { Candidate } from './balancer.ts';

/** Draws candidates of one list by their weights, in O(1) when all weigh the same, else in O(log n). */
export class WeightedDraw {
  readonly candidates: readonly Candidate[];
  /** Where the part of each candidate ends in the sum of weights. */
  readonly #ends: Float64Array;
  /** What every candidate weighs; 0 when they differ. */
  readonly #each: number;

  /** @param candidates - whose weights do not change while the list is in use. */
  constructor(candidates: readonly Candidate[]) {
    this.candidates = candidates;
    this.#ends = new Float64Array(candidates.length);
    let sum = 0;
    for (const [index, { weight }] of candidates.entries()) {
      sum += weight;
      this.#ends[index] = sum;
    }
    const first = candidates[0]?.weight ?? 0;
    this.#each = candidates.every(({ weight }) => weight === first) ? first : 0;
  }

  /** @param random - at least 0, below 1. @returns an index. */
  first(random: number): number {
    return this.#at(random * this.#start(this.candidates.length));
  }

  /** Another one than `first`; the list has at least two. */
  second(random: number, first: number): number {
    const weight = this.candidates[first]?.weight ?? 0;
    const ticket = random * (this.#start(this.candidates.length) - weight);
    const index = this.#at(ticket < this.#start(first) ? ticket : ticket + weight);
    if (index !== first) return index;
    return first + 1 < this.candidates.length ? first + 1 : first - 1; // rounding
  }

  #start(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0);
  }

  /** In whose part of the sum of weights a number falls. */
  #at(ticket: number): number {
    const last = this.candidates.length - 1;
    if (this.#each > 0) return Math.min(Math.floor(ticket / this.#each), last);
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] ?? 0) > ticket) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
