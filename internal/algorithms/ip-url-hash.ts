import type { Balancer, Candidate, PickContext } from './balancer.ts';
import type { Explanation } from './explanation.ts';
import { mix32 } from './hash.ts';
import { noCandidates } from './no-candidates.ts';

/**
 * Weighted rendezvous hashing (Schindelhauer and Schomaker 2005): the same key goes to the same candidate. A candidate
 * that leaves moves its own keys and no others; one that comes takes its share from all of them.
 *
 * With a balance factor c, loads are bounded (Mirrokni, Thorup, Zadimoghaddam 2016; HAProxy `hash-balance-factor`): a
 * candidate that already carries c times its fair share of the requests in flight is passed over for the next in the
 * key's order.
 */
export class IpUrlHash implements Balancer {
  readonly algorithm = 'ip-url-hash';
  readonly learns = false;
  readonly #balanceFactor: number | null;

  /** @param options.balanceFactor - above 1; null: strict affinity. */
  constructor(options: { readonly balanceFactor: number | null }) {
    this.#balanceFactor = options.balanceFactor;
  }

  pick<C extends Candidate>(candidates: readonly C[], context: PickContext): C {
    const factor = this.#balanceFactor;
    if (factor === null) return highest(candidates, context.hash(), Number.POSITIVE_INFINITY, 1);
    const { capacity, weight } = boundOf(candidates, factor);
    return highest(candidates, context.hash(), capacity, weight);
  }

  explain(candidates: readonly Candidate[], context: PickContext): Explanation {
    const key = context.hash();
    const factor = this.#balanceFactor;
    const { capacity, weight } = factor === null ? UNBOUNDED : boundOf(candidates, factor);
    const owner = candidates.indexOf(highest(candidates, key, Number.POSITIVE_INFINITY, 1));
    const winner = candidates.indexOf(highest(candidates, key, capacity, weight));
    const isFull = (candidate: Candidate) => candidate.inFlight >= boundedLoad(candidate, capacity, weight);
    return {
      winner,
      rule:
        owner === winner ? 'it owns the key' : 'who owns the key has its share in flight; next in the order of the key',
      meaning: 'distance of the key, −weight / ln(hash)',
      better: 'more',
      scores: candidates.map((candidate) => (isFull(candidate) ? Number.NaN : scoreOf(candidate, key))),
      ofRequest: true,
    };
  }

  observe(): void {}
}

/** There is room for any number of requests. */
const UNBOUNDED = { capacity: Number.POSITIVE_INFINITY, weight: 1 };

/** Nobody finds all candidates full: their bounds add up to more than the requests in flight, because c > 1. */
function boundOf(candidates: readonly Candidate[], factor: number): { capacity: number; weight: number } {
  let inFlight = 0;
  let weight = 0;
  for (const candidate of candidates) {
    inFlight += candidate.inFlight;
    weight += candidate.weight;
  }
  return { capacity: (inFlight + 1) * factor, weight };
}

function boundedLoad({ weight }: Candidate, capacity: number, totalWeight: number): number {
  return Math.ceil((capacity * weight) / totalWeight);
}

/**
 * The highest score among the candidates with `inFlight < ceil(capacity · weight / totalWeight)`. Equal scores are
 * decided by id, so that the order of the list never matters.
 */
function highest<C extends Candidate>(candidates: readonly C[], key: number, capacity: number, totalWeight: number): C {
  let best = Number.NEGATIVE_INFINITY;
  let chosen: C | undefined;
  for (const candidate of candidates) {
    if (candidate.inFlight >= boundedLoad(candidate, capacity, totalWeight)) continue;
    const score = scoreOf(candidate, key);
    if (score > best || (score === best && chosen !== undefined && candidate.id < chosen.id)) {
      best = score;
      chosen = candidate;
    }
  }
  return chosen ?? noCandidates();
}

/** `−w / ln(h)` with h in (0, 1), both ends excluded. */
function scoreOf(candidate: Candidate, key: number): number {
  const h = (mix32(key ^ candidate.seed) + 0.5) / 2 ** 32;
  return -candidate.weight / Math.log(h);
}
