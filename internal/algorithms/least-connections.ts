import type { Balancer, Candidate } from './balancer.ts';
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
      const load = candidate.inFlight / candidate.weight;
      if (load < least) {
        least = load;
        chosen = index;
      }
      index = index + 1 < length ? index + 1 : 0;
    }
    this.#rotation.took(candidates, chosen);
    return candidates[chosen] ?? noCandidates();
  }

  observe(): void {}
}
