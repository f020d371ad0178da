import type { Balancer, Candidate, PickContext, Sample } from './balancer.ts';
import { LeastConnections } from './least-connections.ts';
import { noCandidates } from './no-candidates.ts';
import { Rotation } from './rotation.ts';

/** τ: after this long an old sample has lost 63 % of its influence. */
const DECAY_MS = 10_000;
/** Decay alone brings no cost below this share of the pool's smallest sample. */
const DECAY_FLOOR = 0.1;
/** Shorter samples count as this: a cost of 0 would hide any number of requests in flight. */
const SHORTEST_SAMPLE_MS = 0.01;
/** A failure counts as this many medians, up to `FAILURE_MS`; never less than the median. */
const FAILURE_FACTOR = 10;
const FAILURE_MS = 1_000;
/** How long the median and the smallest sample of the pool are used before they are found anew. */
const POOL_LIFETIME_MS = 100;

/**
 * Peak EWMA (Finagle, `PeakEwma.scala`): the smallest `cost · (inFlight + 1) / weight`, where `cost` jumps up to a
 * slower sample at once and approaches faster ones with the time constant τ. Between samples it decays, so that a slow
 * upstream is tried again.
 *
 * - A candidate without a sample costs the pool's median: 0 would send everything to it. Only while it has nothing in flight its turn
 *   comes at once, because under light load, when the best is always free, a median is never the smallest. While nobody has a sample:
 *   least connections.
 * - A failure costs several medians, however fast it came: an upstream that refuses at once must not look like the best.
 * - The decay stops at a tenth of the pool's smallest sample, where the slowest upstream has long been tried again. Without an end, the
 *   first burst after a quiet minute would all go to the upstream asked longest ago, hundreds of times cheaper by nothing but its age.
 *
 * What picks need to know of the whole pool, the median and the smallest sample, is found at most every 100 ms, from the list at hand.
 */
export class LeastTime implements Balancer {
  readonly algorithm = 'least-time';
  readonly #leastConnections = new LeastConnections();
  readonly #rotation = new Rotation();
  /** Scratch space of the survey. */
  readonly #costs: number[] = [];
  #surveyedAt = Number.NEGATIVE_INFINITY;
  /** Undecayed. */
  #smallestSample = Number.POSITIVE_INFINITY;
  /** Of the costs with their decay; NaN while there is no sample. */
  #medianCost = Number.NaN;

  pick<C extends Candidate>(candidates: readonly C[], context: PickContext): C {
    const now = context.now();
    this.#survey(candidates, now);
    if (Number.isNaN(this.#medianCost)) return this.#leastConnections.pick(candidates);
    this.#rotation.follow(candidates);
    let least = Number.POSITIVE_INFINITY;
    let chosen: C | undefined;
    let chosenIndex = -1;
    let index = 0;
    for (const candidate of candidates) {
      const score = this.#scoreOf(candidate, now);
      if (score < least || (score === least && this.#rotation.prefers(index, chosenIndex))) {
        least = score;
        chosen = candidate;
        chosenIndex = index;
      }
      index += 1;
    }
    if (chosen === undefined) noCandidates();
    this.#rotation.took(chosenIndex, chosen.weight);
    return chosen;
  }

  observe(candidate: Candidate, candidates: readonly Candidate[], { elapsed, failed, now }: Sample): void {
    this.#survey(candidates, now);
    const sample = Math.max(elapsed, SHORTEST_SAMPLE_MS, failed ? this.#failureCost() : 0);
    if (candidate.cost >= sample) {
      const old = weightOfOld(candidate, now);
      candidate.cost = old * candidate.cost + (1 - old) * sample;
    } else {
      candidate.cost = sample; // slower than all before, or the first
    }
    candidate.costAt = now;
    if (Number.isNaN(this.#medianCost)) this.#surveyedAt = Number.NEGATIVE_INFINITY; // the first sample of the pool counts at once
  }

  #scoreOf(candidate: Candidate, now: number): number {
    const cold = Number.isNaN(candidate.cost);
    if (cold && candidate.inFlight === 0) return 0;
    const cost = cold ? this.#medianCost : this.#decayed(candidate, now);
    return (cost * (candidate.inFlight + 1)) / candidate.weight;
  }

  /** The cost as it counts at `now`: as if a sample of 0 had just come, down to the floor. */
  #decayed(candidate: Candidate, now: number): number {
    const floor = Math.min(candidate.cost, this.#smallestSample * DECAY_FLOOR);
    return Math.max(candidate.cost * weightOfOld(candidate, now), floor);
  }

  #failureCost(): number {
    if (Number.isNaN(this.#medianCost)) return FAILURE_MS;
    return Math.max(this.#medianCost, Math.min(this.#medianCost * FAILURE_FACTOR, FAILURE_MS));
  }

  #survey(candidates: readonly Candidate[], now: number): void {
    if (now - this.#surveyedAt < POOL_LIFETIME_MS) return;
    this.#surveyedAt = now;
    this.#smallestSample = Number.POSITIVE_INFINITY;
    for (const { cost } of candidates) if (cost < this.#smallestSample) this.#smallestSample = cost;
    this.#costs.length = 0;
    for (const candidate of candidates) {
      if (!Number.isNaN(candidate.cost)) this.#costs.push(this.#decayed(candidate, now));
    }
    this.#costs.sort(ascending);
    this.#medianCost = this.#costs[(this.#costs.length - 1) >> 1] ?? Number.NaN; // the lower of two in the middle
  }
}

/** `w = e^(−Δt/τ)`, Δt since the last sample. */
function weightOfOld(candidate: Candidate, now: number): number {
  return Math.exp(-Math.max(now - candidate.costAt, 0) / DECAY_MS);
}

function ascending(a: number, b: number): number {
  return a - b;
}
