import type { Balancer, Candidate, PickContext } from './balancer.ts';
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
    return factor === null
      ? highest(candidates, context.hash(), Number.POSITIVE_INFINITY, 1)
      : highestBounded(candidates, context.hash(), factor);
  }

  observe(): void {}
}

/** Never finds all candidates full: their bounds add up to more than the requests in flight, because c > 1. */
function highestBounded<C extends Candidate>(candidates: readonly C[], key: number, factor: number): C {
  let inFlight = 0;
  let weight = 0;
  for (const candidate of candidates) {
    inFlight += candidate.inFlight;
    weight += candidate.weight;
  }
  return highest(candidates, key, (inFlight + 1) * factor, weight);
}

/**
 * The highest score among the candidates with `inFlight < ceil(capacity · weight / totalWeight)`. Equal scores are
 * decided by id, so that the order of the list never matters.
 */
function highest<C extends Candidate>(candidates: readonly C[], key: number, capacity: number, totalWeight: number): C {
  let best = Number.NEGATIVE_INFINITY;
  let chosen: C | undefined;
  for (const candidate of candidates) {
    if (candidate.inFlight >= Math.ceil((capacity * candidate.weight) / totalWeight)) continue;
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
