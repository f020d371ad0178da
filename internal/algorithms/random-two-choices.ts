import type { Balancer, Candidate } from './balancer.ts';
import { noCandidates } from './no-candidates.ts';

/**
 * Two different candidates drawn at random; the one with fewer requests in flight for its weight takes it, the first
 * drawn when they are equal (Mitzenmacher 2001). Close to least connections, without the whole crowd running to
 * the same one when several load balancers see the same loads.
 *
 * The draws are weighted, as nginx's `random two` does it: with even draws a candidate could never get more than 2/n of
 * the requests, however heavy.
 */
export class RandomTwoChoices implements Balancer {
  readonly algorithm = 'random-two-choices';
  readonly #random: () => number;

  /** @param random - as `Math.random`: at least 0, below 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  pick<C extends Candidate>(candidates: readonly C[]): C {
    let total = 0;
    for (const candidate of candidates) total += candidate.weight;
    const first = draw(candidates, this.#random() * total, undefined);
    if (candidates.length === 1) return first;
    const second = draw(candidates, this.#random() * (total - first.weight), first);
    return second.inFlight / second.weight < first.inFlight / first.weight ? second : first;
  }

  observe(): void {}
}

/** The candidate, `skipped` aside, in whose part of the sum of weights `ticket` falls. */
function draw<C extends Candidate>(candidates: readonly C[], ticket: number, skipped: C | undefined): C {
  let left = ticket;
  let drawn: C | undefined;
  for (const candidate of candidates) {
    if (candidate === skipped) continue;
    drawn = candidate; // stays the last one when rounding leaves a rest of the ticket
    left -= candidate.weight;
    if (left < 0) break;
  }
  return drawn ?? noCandidates();
}
