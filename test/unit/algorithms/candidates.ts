import type { Balancer, Candidate, PickContext } from '../../../internal/algorithms/balancer.ts';
import { hash32 } from '../../../internal/algorithms/hash.ts';

/** A candidate whose load and weight the test sets. */
export interface TestCandidate extends Candidate {
  weight: number;
  inFlight: number;
}

let ordinal = 0;

export function candidate(id: string, weight = 1, inFlight = 0): TestCandidate {
  const memory = { current: 0, effective: Number.NaN, cost: Number.NaN, costAt: 0 };
  ordinal += 1;
  return { id, ordinal, seed: hash32(id), weight, inFlight, ...memory };
}

/** The request that a pick is for; whatever is not given is absent or 0. */
export function request({
  hash = 0,
  affinity,
  now = 0,
}: {
  hash?: number;
  affinity?: string;
  now?: number;
} = {}): PickContext {
  return { hash: () => hash, affinity: () => affinity, now: () => now };
}

/** The ids of so many picks in a row, joined by blanks. */
export function picks(
  balancer: Balancer,
  candidates: readonly Candidate[],
  count: number,
  context = request(),
): string {
  return Array.from({ length: count }, () => balancer.pick(candidates, context).id).join(' ');
}

/** How often each id was picked. */
export function tally(ids: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** Repeatable numbers in [0, 1): a linear congruential generator (Numerical Recipes). */
export function seededRandom(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
