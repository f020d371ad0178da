import type { Balancer, Candidate } from './balancer.ts';
import type { Explanation } from './explanation.ts';
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

  explain(candidates: readonly Candidate[]): Explanation {
    const { holder, left } = this.#turn.look(candidates);
    const { length } = candidates;
    const winner = left >= 1 ? holder : nextWithCredit(candidates, holder);
    return {
      winner,
      rule: left >= 1 && winner === holder ? 'it still has its turn' : 'it is its turn',
      meaning: 'places from its turn',
      better: 'less',
      scores: Array.from({ length }, (_, index) => (index - winner + length) % length),
      ofRequest: false,
    };
  }

  observe(): void {}

  #advance(candidates: readonly Candidate[]): void {
    const next = this.#turn.holder + 1;
    this.#turn.pass(candidates, next < candidates.length ? next : 0);
    const holder = candidates[this.#turn.holder] ?? noCandidates();
    const credit = creditOf(holder, holder.current);
    this.#turn.left = Math.floor(credit);
    holder.current = credit - this.#turn.left;
  }
}

function creditOf({ weight }: Candidate, current: number): number {
  return weight + (current - Math.floor(current)); // whole turns are whatever an algorithm before this one left there
}

/** Whose turn comes after that of `holder`: fractions of turns add up, round by round, as in `#advance`. */
function nextWithCredit(candidates: readonly Candidate[], holder: number): number {
  const current = candidates.map((candidate) => candidate.current);
  for (let index = holder + 1; ; index += 1) {
    const at = index % candidates.length;
    const credit = creditOf(candidates[at] ?? noCandidates(), current[at] ?? 0);
    if (credit >= 1) return at;
    current[at] = credit - Math.floor(credit);
  }
}
