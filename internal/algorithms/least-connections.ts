import type { Balancer, Candidate } from './balancer.ts';
import type { Explanation } from './explanation.ts';
import { noCandidates } from './no-candidates.ts';
import { Rotation } from './rotation.ts';
import { newTurn, type TurnMemory } from './turn.ts';

/**
 * The candidate with the fewest requests in flight for its weight; equals take turns. O(n), but it ends at the first that
 * has none in flight: in a large pool most picks look at one or two.
 */
export class LeastConnections implements Balancer {
  readonly algorithm = 'least-connections';
  readonly learns = false;
  readonly #rotation: Rotation;

  constructor(memory: TurnMemory = newTurn()) {
    this.#rotation = new Rotation(memory);
  }

  pick<C extends Candidate>(candidates: readonly C[]): C {
    this.#rotation.follow(candidates);
    const { length } = candidates;
    let least = Number.POSITIVE_INFINITY;
    let chosen = -1;
    let index = this.#rotation.start < length ? this.#rotation.start : 0;
    // In the order of the turns, so that the first of equals is the one to prefer, and nobody can have less than nothing.
    for (let visited = 0; visited < length && least > 0; visited += 1) {
      const candidate = candidates[index] ?? noCandidates();
      const { weight } = candidate;
      const load = weight >= 1 ? candidate.inFlight / weight : loadOfLight(candidate, visited === 0);
      if (load < least) {
        least = load;
        chosen = index;
      }
      index = index + 1 < length ? index + 1 : 0;
    }
    this.#rotation.took(candidates, chosen);
    const taken = candidates[chosen] ?? noCandidates();
    if (taken.weight < 1) taken.current = Math.max(taken.current - 1, 0);
    return taken;
  }

  explain(candidates: readonly Candidate[]): Explanation {
    const { length } = candidates;
    const start = this.#rotation.startOf(candidates) % length;
    const scores = candidates.map((candidate, index) => {
      const { inFlight, weight } = candidate;
      return weight >= 1 ? inFlight / weight : loadWithCredit(candidate, creditOf(candidate, index === start));
    });
    const least = Math.min(...scores);
    const first = scores.indexOf(least, start);
    const winner = first === -1 ? scores.indexOf(least) : first;
    const isTie = scores.some((score, index) => score === least && index !== winner);
    return {
      winner,
      rule: isTie ? 'the smallest score; of equals, the one whose turn it is' : 'the smallest score',
      meaning: 'requests in flight for its weight',
      better: 'less',
      scores,
      ofRequest: false,
    };
  }

  observe(): void {}
}

/**
 * Of a candidate that weighs less than 1. With nothing in flight it is no better than one that weighs 1 and is busy, or
 * it would have as many turns as any other on an idle pool; so that it gets its share there, too, the part of a turn
 * that it is worth is kept in `current` until it makes a whole one.
 */
function loadOfLight(candidate: Candidate, isItsTurn: boolean): number {
  if (isItsTurn) candidate.current = creditOf(candidate, true);
  return loadWithCredit(candidate, candidate.current);
}

function creditOf({ current, weight }: Candidate, isItsTurn: boolean): number {
  return isItsTurn ? Math.min(Math.max(current, 0), 1) + weight : current;
}

function loadWithCredit({ inFlight, weight }: Candidate, credit: number): number {
  return credit >= 1 ? inFlight / weight : (inFlight + 1) / weight - 1;
}
