import type { Candidate } from './balancer.ts';

/** How the costs of candidates count; both in the same unit. */
export interface Costs {
  /** What a candidate would score with nothing in flight, or less. */
  base(candidate: Candidate, now: number): number;
  /** What it scores as it is: at least its base. @param base - of the same moment. */
  score(candidate: Candidate, base: number): number;
}

/**
 * Finds the smallest score in a list without looking at all of it: a binary heap by the base, in which a search leaves out every
 * branch that begins with more than the best score found so far. A candidate whose base has risen since sinks to its place when
 * a search comes by it, at most once for each rise; so a search looks at little more than those that cost less than the
 * one it finds. One whose base has fallen keeps its place, and may be overlooked until the heap is made anew.
 */
export class CostHeap {
  readonly list: readonly Candidate[];
  readonly #costs: Costs;
  /** Indexes of the list, as a heap. */
  readonly #order: Int32Array;
  /** By the place in the heap. */
  readonly #bases: Float64Array;
  /** Places that a search has still to look at; there is one for each level, and one more. */
  readonly #open = new Int32Array(64);

  /** @param like - a heap of the same list, of which this one becomes a copy. */
  constructor(list: readonly Candidate[], costs: Costs, now: number, like?: CostHeap) {
    this.list = list;
    this.#costs = costs;
    if (like !== undefined) {
      this.#order = like.#order.slice();
      this.#bases = like.#bases.slice();
      return;
    }
    this.#order = Int32Array.from(list.keys());
    this.#bases = Float64Array.from(list, (candidate) => costs.base(candidate, now));
    for (let place = (list.length >> 1) - 1; place >= 0; place -= 1) this.#sink(place);
  }

  /** Index of the candidate with the smallest score, whichever of equals; -1 in an empty list. */
  least(now: number): number {
    const length = this.#order.length;
    const open = this.#open;
    let least = Number.POSITIVE_INFINITY;
    let chosen = -1;
    let size = 0;
    if (length > 0) open[size++] = 0;
    while (size > 0) {
      size -= 1;
      const place = open[size] ?? 0;
      const score = this.#look(place, least, now);
      if (score < least) {
        least = score;
        chosen = this.#order[place] ?? 0;
      }
      const left = 2 * place + 1;
      if (left >= length || (this.#bases[place] ?? 0) >= least) continue;
      const right = left + 1;
      // The cheaper branch comes first: what it finds may save the other one.
      const leftFirst = right >= length || (this.#bases[left] ?? 0) <= (this.#bases[right] ?? 0);
      if (right < length) open[size++] = leftFirst ? right : left;
      open[size++] = leftFirst ? left : right;
    }
    return chosen;
  }

  /** The score of the candidate at a place of the heap, once it is the right one there; infinite when it cannot be below `least`. */
  #look(place: number, least: number, now: number): number {
    for (;;) {
      const candidate = this.list[this.#order[place] ?? 0];
      const known = this.#bases[place] ?? 0;
      if (candidate === undefined || known * (candidate.inFlight + 1) >= least) return Number.POSITIVE_INFINITY;
      const base = this.#costs.base(candidate, now);
      if (base > known) {
        this.#bases[place] = base;
        if (this.#sink(place)) continue;
      }
      return this.#costs.score(candidate, base);
    }
  }

  /** Puts what is at `place` below all that cost less. @returns whether something else is there now. */
  #sink(start: number): boolean {
    const order = this.#order;
    const bases = this.#bases;
    const index = order[start] ?? 0;
    const base = bases[start] ?? 0;
    let place = start;
    for (let child = 2 * place + 1; child < order.length; child = 2 * place + 1) {
      if (child + 1 < order.length && (bases[child + 1] ?? 0) < (bases[child] ?? 0)) child += 1;
      if ((bases[child] ?? 0) >= base) break;
      order[place] = order[child] ?? 0;
      bases[place] = bases[child] ?? 0;
      place = child;
    }
    order[place] = index;
    bases[place] = base;
    return place !== start;
  }
}
