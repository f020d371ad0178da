import type { Candidate } from './balancer.ts';

/**
 * Whose turn it is in a cycle of candidates, over all changes of the list. `follow` comes before any other use.
 *
 * The cycle goes on at the holder of the turn or, when it is not in the new list, at the first of those after it that is. A retry on a
 * shorter copy thus takes a turn of the same cycle, and only the upstream that was left out can miss one.
 */
export class Turn {
  /** Index of the holder; -1 before the first. */
  holder = -1;
  /** Picks the holder still has; below 1: the next one's turn. */
  left = 0;
  #order: readonly Candidate[] = [];

  /** O(1) for the list of the last call, O(n) in the ordinary case of another one. */
  follow(candidates: readonly Candidate[]): void {
    if (candidates === this.#order) return;
    const position = positionIn(candidates, this.#order[this.holder]);
    if (position >= 0) {
      this.holder = position;
    } else {
      this.holder = this.#successorIn(candidates) - 1;
      this.left = 0;
    }
    this.#order = candidates;
  }

  #successorIn(candidates: readonly Candidate[]): number {
    const { length } = this.#order;
    for (let step = 1; step <= length; step += 1) {
      const position = positionIn(candidates, this.#order[(this.holder + step) % length]);
      if (position >= 0) return position;
    }
    return 0;
  }
}

function positionIn(candidates: readonly Candidate[], candidate: Candidate | undefined): number {
  return candidate === undefined ? -1 : candidates.indexOf(candidate);
}
