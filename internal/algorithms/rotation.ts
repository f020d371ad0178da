import type { Candidate } from './balancer.ts';
import { Turn } from './turn.ts';

/**
 * Round robin among equals, for a scan in index order: of candidates with equal scores it prefers the first at or after the one whose
 * turn it is, else the first of all. A candidate of weight w keeps its turn for w picks, so weights count on an idle pool too.
 */
export class Rotation {
  readonly #turn = new Turn();

  /** Must come before every scan. */
  follow(candidates: readonly Candidate[]): void {
    this.#turn.follow(candidates);
  }

  /** Whether the candidate at `index` goes before its equal at the lower index `other`. */
  prefers(index: number, other: number): boolean {
    const start = this.#turn.left >= 1 ? this.#turn.holder : this.#turn.holder + 1;
    return other < start && index >= start;
  }

  /** Must follow every pick. */
  took(index: number, weight: number): void {
    const goesOn = index === this.#turn.holder && this.#turn.left >= 1;
    this.#turn.left = (goesOn ? this.#turn.left : weight) - 1;
    this.#turn.holder = index;
  }
}
