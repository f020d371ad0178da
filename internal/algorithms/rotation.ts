import type { Candidate } from './balancer.ts';
import { Turn, type TurnMemory } from './turn.ts';

/**
 * Round robin among equals, for a scan in index order: of candidates with equal scores it prefers the first at or after the one whose
 * turn it is, else the first of all. A candidate of weight w keeps its turn for w picks, so weights count on an idle pool too.
 */
export class Rotation {
  readonly #turn: Turn;

  constructor(memory: TurnMemory) {
    this.#turn = new Turn(memory);
  }

  /** Must come before every scan. */
  follow(candidates: readonly Candidate[]): void {
    this.#turn.follow(candidates);
  }

  /** Index of the candidate that goes before all its equals; at most the number of candidates, which stands for the first. */
  get start(): number {
    return this.#turn.left >= 1 ? this.#turn.holder : this.#turn.holder + 1;
  }

  /** What `start` would be after a `follow`, with nothing noted. */
  startOf(candidates: readonly Candidate[]): number {
    const { holder, left } = this.#turn.look(candidates);
    return left >= 1 ? holder : holder + 1;
  }

  /** Whether the candidate at `index` goes before its equal at the lower index `other`. */
  prefers(index: number, other: number): boolean {
    const { start } = this;
    return other < start && index >= start;
  }

  /** Must follow every pick. */
  took(candidates: readonly Candidate[], index: number): void {
    const turn = this.#turn;
    const goesOn = index === turn.holder && turn.left >= 1;
    turn.left = (goesOn ? turn.left : (candidates[index]?.weight ?? 1)) - 1;
    turn.pass(candidates, index);
  }
}
