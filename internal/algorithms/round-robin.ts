import type { Balancer, Candidate } from './balancer.ts';
import { noCandidates } from './no-candidates.ts';
import { newTurn, Turn, type TurnMemory } from './turn.ts';

/**
 * One after the other; a candidate of weight w takes w picks in a row. A fraction of a pick is kept in `current` until it makes a whole
 * one (deficit round robin, Shreedhar and Varghese 1995), so weights below 1 count too.
 *
 * A pick costs O(1) for weights of 1 and more while the list stays the same.
 */
export class RoundRobin implements Balancer {
  readonly algorithm = 'round-robin';
  readonly learns = false;
  readonly #turn: Turn;

  constructor(memory: TurnMemory = newTurn()) {
    this.#turn = new Turn(memory);
  }

  pick<C extends Candidate>(candidates: readonly C[]): C {
    this.#turn.follow(candidates);
    while (this.#turn.left < 1) this.#advance(candidates);
    this.#turn.left -= 1;
    return candidates[this.#turn.holder] ?? noCandidates();
  }

  observe(): void {}

  #advance(candidates: readonly Candidate[]): void {
    const next = this.#turn.holder + 1;
    this.#turn.pass(candidates, next < candidates.length ? next : 0);
    const holder = candidates[this.#turn.holder] ?? noCandidates();
    const fraction = holder.current - Math.floor(holder.current); // whatever an algorithm before this one left there
    const credit = holder.weight + fraction;
    this.#turn.left = Math.floor(credit);
    holder.current = credit - this.#turn.left;
  }
}
