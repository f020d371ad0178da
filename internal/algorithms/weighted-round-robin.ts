import type { Balancer, Candidate, Sample } from './balancer.ts';
import type { Explanation } from './explanation.ts';
import { noCandidates } from './no-candidates.ts';

/** The share of its weight that a candidate loses by one failure. */
const LOSS_PER_FAILURE = 1 / 5;
/** A failing candidate keeps this share of its weight: nothing else would ever show that it has recovered. */
const LEAST_SHARE = 1 / 10;

/**
 * Smooth weighted round robin (nginx, `ngx_http_upstream_round_robin.c`): each pick credits every candidate with its effective
 * weight, takes the largest credit, and charges it the sum. Weights 5, 1, 1 give a a b a c a a.
 *
 * A failure takes a fifth of the weight off the effective weight, down to a tenth of it; a success gives 1 back. nginx gives it back
 * per pick instead and lets it fall to 0, which suits its own way of shutting a failed peer out; here health checks do that.
 */
export class WeightedRoundRobin implements Balancer {
  readonly algorithm = 'weighted-round-robin';
  readonly learns = true;
  #candidates: readonly Candidate[] = [];

  pick<C extends Candidate>(candidates: readonly C[]): C {
    return this.turn(candidates, undefined);
  }

  /**
   * One turn of the round, which goes to the candidate named `preferred` when it is among the candidates: it pays like any
   * other, so that the next free turns go elsewhere.
   */
  turn<C extends Candidate>(candidates: readonly C[], preferred: string | undefined): C {
    if (candidates !== this.#candidates) {
      limitCredit(candidates);
      this.#candidates = candidates;
    }
    let total = 0;
    let largest: C | undefined;
    let named: C | undefined;
    for (const candidate of candidates) {
      const effective = effectiveWeight(candidate);
      candidate.current += effective;
      total += effective;
      if (largest === undefined || candidate.current > largest.current) largest = candidate;
      if (candidate.id === preferred) named = candidate;
    }
    const chosen = named ?? largest ?? noCandidates();
    chosen.current -= total;
    if (chosen !== largest) limitCredit(candidates);
    return chosen;
  }

  explain(candidates: readonly Candidate[]): Explanation {
    return this.explainTurn(candidates, undefined);
  }

  /** What `turn` would do. */
  explainTurn(candidates: readonly Candidate[], preferred: string | undefined): Explanation {
    const weights = candidates.map(weightInForce);
    const round = candidates === this.#candidates ? Number.POSITIVE_INFINITY : sum(weights);
    const scores = candidates.map(({ current }, index) => limited(current, round) + (weights[index] ?? 0));
    const named = candidates.findIndex(({ id }) => id === preferred);
    return {
      winner: named === -1 ? scores.indexOf(Math.max(...scores)) : named,
      rule: named === -1 ? 'the most credit goes first' : 'the cookie names it',
      meaning: 'credit with this turn',
      better: 'more',
      scores,
      ofRequest: false,
    };
  }

  observe(candidate: Candidate, _candidates: readonly Candidate[], sample: Sample): void {
    const { weight } = candidate;
    const effective = effectiveWeight(candidate);
    candidate.effective = sample.failed
      ? Math.max(effective - weight * LOSS_PER_FAILURE, weight * LEAST_SHARE)
      : Math.min(effective + 1, weight);
  }
}

/** Brings `effective` up to date where it was never used, or the weight has sunk below it. */
function effectiveWeight(candidate: Candidate): number {
  if (!(candidate.effective <= candidate.weight)) candidate.effective = candidate.weight;
  return candidate.effective;
}

/** The same, with nothing noted. */
function weightInForce({ effective, weight }: Candidate): number {
  return effective <= weight ? effective : weight;
}

/**
 * Cuts every credit and debt to one round. Candidates bring the credit of another round along when they come from a larger pool, and a
 * sticky client can run up any debt; uncut, either would leave a candidate idle, or give it everything, for hundreds of picks.
 */
function limitCredit(candidates: readonly Candidate[]): void {
  let round = 0;
  for (const candidate of candidates) round += effectiveWeight(candidate);
  for (const candidate of candidates) candidate.current = limited(candidate.current, round);
}

function limited(credit: number, round: number): number {
  return Math.min(Math.max(credit, -round), round);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
