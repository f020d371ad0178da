import type { Balancer, Candidate, PickContext, Sample } from './balancer.ts';
import { CostHeap, type Costs } from './cost-heap.ts';
import type { Explanation } from './explanation.ts';
import { LeastConnections } from './least-connections.ts';
import { noCandidates } from './no-candidates.ts';
import { Rotation } from './rotation.ts';
import { newTurn, type TurnMemory } from './turn.ts';

/** τ while nothing is heard: after this long without a sample an old one has lost 63 % of its influence. */
const SILENCE_MS = 5_000;
/** τ while there are samples: what an upstream does now says more about it than that nobody has asked it for a while. */
const EVIDENCE_MS = 1_000;
/** However fast they come, each sample counts for this share: a pause of ours that slows everybody down is over with the pause. */
const EVIDENCE_SHARE = 1 / 50;
/** Decay alone brings no cost below this share of the pool's smallest sample. */
const DECAY_FLOOR = 0.1;
/** Shorter samples count as this: a cost of 0 would hide any number of requests in flight. */
const SHORTEST_SAMPLE_MS = 0.01;
/** A failure counts as this many medians, up to `FAILURE_MS`; never less than the median. */
const FAILURE_FACTOR = 10;
const FAILURE_MS = 1_000;
/** Smaller lists are looked through, for larger ones there is a heap. */
const SMALL_POOL = 16;
/** How long the median and the smallest sample of the pool are used before they are found anew. */
const POOL_LIFETIME_MS = 100;

/**
 * Peak EWMA (Finagle, `PeakEwma.scala`): the smallest `cost · (inFlight + 1) / weight`, where `cost` jumps up to a
 * slower sample at once and approaches faster ones with a time constant. Between samples it decays, so that a slow
 * upstream is tried again.
 *
 * - Finagle has one time constant for both, 10 s. Then one slow answer among thousands, such as a pause of ours, counts for
 *   many seconds, and the load it keeps away goes to upstreams that are slow in truth. Measured with one of four backends 50 ms
 *   slower: with 10 s the slow one got 0.32 % of the requests and was not back in service 10 s after it had recovered.
 * - A candidate without a sample costs the pool's median: 0 would send everything to it. Only while it has nothing in flight its turn
 *   comes at once, because under light load, when the best is always free, a median is never the smallest. While nobody has a sample:
 *   least connections.
 * - A failure costs several medians, however fast it came: an upstream that refuses at once must not look like the best.
 * - The decay stops at a tenth of the pool's smallest sample, where the slowest upstream has long been tried again. Without an end, the
 *   first burst after a quiet minute would all go to the upstream asked longest ago, hundreds of times cheaper by nothing but its age.
 *
 * What picks need to know of the whole pool is found at most every 100 ms, from the list at hand: the median, the smallest sample and,
 * for a large pool, the order of the costs. Whoever has become slower since then is seen as such; whoever has become faster, which by
 * decay alone is 2 %, may be overlooked for that long. In a large pool equals take no turns: they are none any more once one of
 * them has the request.
 */
export class LeastTime implements Balancer, Costs {
  readonly algorithm = 'least-time';
  readonly learns = true;
  readonly #memory: TurnMemory;
  readonly #leastConnections: LeastConnections;
  readonly #rotation: Rotation;
  /** Scratch space of the survey. */
  readonly #costs: number[] = [];
  #heap = new CostHeap([], this, 0);
  /** The last other list. */
  #stranger: readonly Candidate[] = [];
  #surveyedAt = Number.NEGATIVE_INFINITY;
  /** Undecayed. */
  #smallestSample = Number.POSITIVE_INFINITY;
  /** Of the costs with their decay; NaN while there is no sample. */
  #medianCost = Number.NaN;

  constructor(memory: TurnMemory = newTurn()) {
    this.#memory = memory;
    this.#leastConnections = new LeastConnections(memory);
    this.#rotation = new Rotation(memory);
  }

  pick<C extends Candidate>(candidates: readonly C[], context: PickContext): C {
    const now = context.now();
    this.#survey(candidates, now);
    if (Number.isNaN(this.#medianCost)) return this.#leastConnections.pick(candidates);
    return candidates.length > SMALL_POOL && this.#isInHeap(candidates, now)
      ? (candidates[this.#heap.least(now)] ?? noCandidates())
      : this.#search(candidates, now);
  }

  /** A double of this balancer picks instead of it, and takes with it what a pick notes. */
  explain(candidates: readonly Candidate[], context: PickContext): Explanation {
    const double = this.#double();
    const now = context.now();
    double.#survey(candidates, now);
    if (Number.isNaN(double.#medianCost)) {
      const { rule, ...others } = this.#leastConnections.explain(candidates);
      return { ...others, rule: `nobody has answered yet, so by requests in flight: ${rule}` };
    }
    const scores = candidates.map((candidate) => double.score(candidate, double.base(candidate, now)));
    const winner = candidates.indexOf(double.pick(candidates, context));
    const isFirst = Number.isNaN(candidates[winner]?.cost ?? 0) && scores[winner] === 0;
    return {
      winner,
      rule: isFirst ? 'it has not answered yet, and nothing in flight: its turn comes at once' : 'the smallest score',
      meaning: 'ms: cost × (in flight + 1) / weight',
      better: 'less',
      scores,
      ofRequest: false,
    };
  }

  observe(candidate: Candidate, candidates: readonly Candidate[], { elapsed, failed, now }: Sample): void {
    this.#survey(candidates, now);
    const sample = Math.max(elapsed, SHORTEST_SAMPLE_MS, failed ? this.#failureCost() : 0);
    if (candidate.cost >= sample) {
      const old = Math.min(weightOfOld(candidate, now, EVIDENCE_MS), 1 - EVIDENCE_SHARE);
      candidate.cost = old * candidate.cost + (1 - old) * sample;
    } else {
      candidate.cost = sample; // slower than all before, or the first
    }
    candidate.costAt = Math.max(candidate.costAt, now); // another thread's sample may be younger
    if (Number.isNaN(this.#medianCost)) this.#surveyedAt = Number.NEGATIVE_INFINITY; // the first sample of the pool counts at once
  }

  /** Once somebody has a sample, a pick notes nothing on the candidates: all that it changes is copied here. */
  #double(): LeastTime {
    const { holder, left } = this.#memory; // of all threads
    const double = new LeastTime({ holder, left });
    double.#heap = new CostHeap(this.#heap.list, double, 0, this.#heap);
    double.#stranger = this.#stranger;
    double.#surveyedAt = this.#surveyedAt;
    double.#smallestSample = this.#smallestSample;
    double.#medianCost = this.#medianCost;
    return double;
  }

  /** A list that comes a second time is the pool's own; that of a retry never comes again. */
  #isInHeap(list: readonly Candidate[], now: number): boolean {
    if (list === this.#heap.list) return true;
    if (list !== this.#stranger) {
      this.#stranger = list;
      return false;
    }
    this.#heap = new CostHeap(list, this, now);
    return true;
  }

  #search<C extends Candidate>(candidates: readonly C[], now: number): C {
    this.#rotation.follow(candidates);
    let least = Number.POSITIVE_INFINITY;
    let chosen = -1;
    for (const [index, candidate] of candidates.entries()) {
      const score = this.score(candidate, this.base(candidate, now));
      if (score < least || (score === least && this.#rotation.prefers(index, chosen))) {
        least = score;
        chosen = index;
      }
    }
    this.#rotation.took(candidates, chosen);
    return candidates[chosen] ?? noCandidates();
  }

  base(candidate: Candidate, now: number): number {
    return Number.isNaN(candidate.cost) ? 0 : this.#decayed(candidate, now) / candidate.weight;
  }

  score(candidate: Candidate, base: number): number {
    const { inFlight } = candidate;
    if (base > 0) return base * (inFlight + 1);
    return inFlight === 0 ? 0 : (this.#medianCost * (inFlight + 1)) / candidate.weight; // without a sample
  }

  /** The cost as it counts at `now`: as if a sample of 0 had just come, down to the floor. */
  #decayed(candidate: Candidate, now: number): number {
    const floor = Math.min(candidate.cost, this.#smallestSample * DECAY_FLOOR);
    return Math.max(candidate.cost * weightOfOld(candidate, now, SILENCE_MS), floor);
  }

  #failureCost(): number {
    if (Number.isNaN(this.#medianCost)) return FAILURE_MS;
    return Math.max(this.#medianCost, Math.min(this.#medianCost * FAILURE_FACTOR, FAILURE_MS));
  }

  #survey(candidates: readonly Candidate[], now: number): void {
    if (now - this.#surveyedAt < POOL_LIFETIME_MS) return;
    this.#surveyedAt = now;
    let smallest = Number.POSITIVE_INFINITY;
    for (const { cost } of candidates) if (cost < smallest) smallest = cost;
    if (smallest === Number.POSITIVE_INFINITY) return; // nobody has a sample, as may be with the list of a retry
    this.#smallestSample = smallest;
    this.#costs.length = 0;
    for (const candidate of candidates) {
      if (!Number.isNaN(candidate.cost)) this.#costs.push(this.#decayed(candidate, now));
    }
    this.#costs.sort(ascending);
    this.#medianCost = this.#costs[(this.#costs.length - 1) >> 1] ?? Number.NaN; // the lower of two in the middle
    if (candidates === this.#heap.list) this.#heap = new CostHeap(candidates, this, now);
  }
}

/** `w = e^(−Δt/τ)`, Δt since the last sample. */
function weightOfOld(candidate: Candidate, now: number, tau: number): number {
  return Math.exp(-Math.max(now - candidate.costAt, 0) / tau);
}

function ascending(a: number, b: number): number {
  return a - b;
}
