import type { Balancer, Candidate } from './balancer.ts';
import { noCandidates } from './no-candidates.ts';
import { WeightedDraw } from './weighted-draw.ts';

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
  readonly learns = false;
  readonly #random: () => number;
  readonly #draws = new WeakMap<readonly Candidate[], WeightedDraw>();

  /** @param random - as `Math.random`: at least 0, below 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  pick<C extends Candidate>(candidates: readonly C[]): C {
    let draw = this.#draws.get(candidates);
    if (draw === undefined) {
      draw = new WeightedDraw(candidates);
      this.#draws.set(candidates, draw);
    }
    const firstIndex = draw.first(this.#random());
    const first = candidates[firstIndex] ?? noCandidates();
    if (candidates.length === 1) return first;
    const second = candidates[draw.second(this.#random(), firstIndex)] ?? noCandidates();
    return second.inFlight / second.weight < first.inFlight / first.weight ? second : first;
  }

  observe(): void {}
}
