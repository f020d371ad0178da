import type { Balancer, Candidate, PickContext, Sample } from './balancer.ts';
import type { Explanation } from './explanation.ts';
import { WeightedRoundRobin } from './weighted-round-robin.ts';

/**
 * The candidate that the request's cookie names, while it is there to be picked; any other request takes its turn in a smooth
 * weighted round robin. Returning clients spend their candidate's credit as new ones do (nginx does the same), so new clients go where
 * the returning ones are few. The debt is limited to one round: a client that was busy an hour ago keeps nobody away.
 */
export class StickyRoundRobin implements Balancer {
  readonly algorithm = 'sticky-round-robin';
  readonly learns = true;
  readonly #round = new WeightedRoundRobin();

  pick<C extends Candidate>(candidates: readonly C[], context: PickContext): C {
    return this.#round.turn(candidates, context.affinity());
  }

  explain(candidates: readonly Candidate[], context: PickContext): Explanation {
    return this.#round.explainTurn(candidates, context.affinity());
  }

  observe(candidate: Candidate, candidates: readonly Candidate[], sample: Sample): void {
    this.#round.observe(candidate, candidates, sample);
  }
}
