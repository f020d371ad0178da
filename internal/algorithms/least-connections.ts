import type { Balancer, Candidate } from './balancer.ts';
import { noCandidates } from './no-candidates.ts';
import { Rotation } from './rotation.ts';

/** The candidate with the fewest requests in flight for its weight; equals take turns. */
export class LeastConnections implements Balancer {
  readonly algorithm = 'least-connections';
  readonly #rotation = new Rotation();

  pick<C extends Candidate>(candidates: readonly C[]): C {
    this.#rotation.follow(candidates);
    let least = Number.POSITIVE_INFINITY;
    let chosen: C | undefined;
    let chosenIndex = -1;
    let index = 0;
    for (const candidate of candidates) {
      const load = candidate.inFlight / candidate.weight;
      if (load < least || (load === least && this.#rotation.prefers(index, chosenIndex))) {
        least = load;
        chosen = candidate;
        chosenIndex = index;
      }
      index += 1;
    }
    if (chosen === undefined) noCandidates();
    this.#rotation.took(chosenIndex, chosen.weight);
    return chosen;
  }

  observe(): void {}
}
