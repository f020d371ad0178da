import type { Balancer, Candidate } from './balancer.ts';
import type { Explanation } from './explanation.ts';
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
  /** Drawn already, for an explanation. */
  readonly #foreseen: number[] = [];
  readonly #draws = new WeakMap<readonly Candidate[], WeightedDraw>();

  /** @param random - as `Math.random`: at least 0, below 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  pick<C extends Candidate>(candidates: readonly C[]): C {
    const draw = this.#drawOf(candidates);
    const firstIndex = draw.first(this.#next());
    const first = candidates[firstIndex] ?? noCandidates();
    if (candidates.length === 1) return first;
    const second = candidates[draw.second(this.#next(), firstIndex)] ?? noCandidates();
    return loadOf(second) < loadOf(first) ? second : first;
  }

  /** The numbers are drawn for good: the next pick gets the same. */
  explain(candidates: readonly Candidate[]): Explanation {
    const draw = this.#drawOf(candidates);
    const first = draw.first(this.#foresee(0));
    const second = candidates.length === 1 ? first : draw.second(this.#foresee(1), first);
    const scores = candidates.map(loadOf);
    const [a, b] = [candidates[first] ?? noCandidates(), candidates[second] ?? noCandidates()];
    return {
      winner: loadOf(b) < loadOf(a) ? second : first,
      rule: first === second ? 'there is no other' : `the lesser of two that were drawn, ${a.id} and ${b.id}`,
      meaning: 'requests in flight for its weight',
      better: 'less',
      scores,
      ofRequest: false,
    };
  }

  observe(): void {}

  #drawOf(candidates: readonly Candidate[]): WeightedDraw {
    let draw = this.#draws.get(candidates);
    if (draw === undefined) {
      draw = new WeightedDraw(candidates);
      this.#draws.set(candidates, draw);
    }
    return draw;
  }

  #next(): number {
    return this.#foreseen.length === 0 ? this.#random() : (this.#foreseen.shift() ?? 0);
  }

  /** @param index - 0: the number that `#next` will give next. */
  #foresee(index: number): number {
    while (this.#foreseen.length <= index) this.#foreseen.push(this.#random());
    return this.#foreseen[index] ?? 0;
  }
}

function loadOf({ inFlight, weight }: Candidate): number {
  return inFlight / weight;
}
