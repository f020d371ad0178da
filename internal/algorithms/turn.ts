import type { Candidate } from './balancer.ts';

/** What a turn remembers: two numbers, which can live in memory shared between threads. */
export interface TurnMemory {
  /** Ordinal of the candidate whose turn it is; below all ordinals before the first. */
  holder: number;
  /** Picks the holder still has; below 1: the next one's turn. */
  left: number;
}

export function newTurn(): TurnMemory {
  return { holder: -1, left: 0 };
}

/**
 * Whose turn it is in a cycle of candidates, over all changes of the list and for all threads. `follow` comes before any other use.
 *
 * The cycle is that of the ordinals. It goes on at the holder of the turn or, when it is not in the list, at the first of those after
 * it. A retry on a shorter copy thus takes a turn of the same cycle, and only the upstream that was left out can miss one.
 */
export class Turn {
  readonly #memory: TurnMemory;
  /** Index of the holder in the list of the last `follow`; one before its successor when it is not there. */
  #index = -1;

  constructor(memory: TurnMemory) {
    this.#memory = memory;
  }

  /** O(1) while only this thread picks from this list, else O(log n). */
  follow(candidates: readonly Candidate[]): void {
    const { holder } = this.#memory;
    if (candidates[this.#index]?.ordinal === holder) return;
    const next = this.#index + 1 < candidates.length ? this.#index + 1 : 0;
    const index = candidates[next]?.ordinal === holder ? next : firstFrom(candidates, holder);
    if (candidates[index]?.ordinal === holder) {
      this.#index = index;
    } else {
      this.#index = index - 1;
      this.#memory.left = 0;
    }
  }

  /** What `follow` would find, with nothing noted. */
  look(candidates: readonly Candidate[]): { readonly holder: number; readonly left: number } {
    const { holder, left } = this.#memory;
    const index = firstFrom(candidates, holder);
    return candidates[index]?.ordinal === holder ? { holder: index, left } : { holder: index - 1, left: 0 };
  }

  get holder(): number {
    return this.#index;
  }

  get left(): number {
    return this.#memory.left;
  }

  set left(picks: number) {
    this.#memory.left = picks;
  }

  /** @param index - of one of the candidates. */
  pass(candidates: readonly Candidate[], index: number): void {
    this.#index = index;
    this.#memory.holder = candidates[index]?.ordinal ?? -1;
  }
}

/** Index of the first candidate whose ordinal is at least the given one; the length when there is none. */
function firstFrom(candidates: readonly Candidate[], ordinal: number): number {
  let low = 0;
  let high = candidates.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((candidates[middle]?.ordinal ?? 0) < ordinal) low = middle + 1;
    else high = middle;
  }
  return low;
}
