import type { PickContext } from '../../algorithms/balancer.ts';
import type { Explanation } from '../../algorithms/explanation.ts';
import type { Exclusion, ExplainedCandidate, ExplainedPick } from '../../model/explained-request.ts';
import type { Offer } from '../offer.ts';
import type { Upstream } from '../upstream.ts';

/** Of a larger pool these many are listed; the others are counted. */
const LISTED = 50;
/** So many of them may be excluded ones. */
const LISTED_EXCLUDED = 15;
/** In a shorter list one is found by looking. */
const FEW = 16;

/** A pool at the moment of a pick. */
export interface PoolView {
  readonly upstreams: Iterable<Upstream>;
  readonly offer: Offer;
  readonly tried: readonly Upstream[];
  /** Requests in flight that an upstream may have; infinite: any number. */
  readonly limitOf: (upstream: Upstream) => number;
}

/** What was decided, under the lock of the pool and before it came into force. */
export interface Decision {
  readonly result: ExplainedPick['result'];
  /** Who could be picked; the scores are in their order. */
  readonly free: readonly Upstream[];
  readonly winner: Upstream | null;
  /** Null: no algorithm was asked. */
  readonly explanation: Explanation | null;
}

/** The same request at one moment: what is explained is then what is picked. */
export function atOneMoment(context: PickContext): PickContext {
  const now = context.now();
  return { hash: () => context.hash(), affinity: () => context.affinity(), now: () => now };
}

/** @param afterMs - from the arrival of the request. */
export function pickView(view: PoolView, decision: Decision, afterMs: number): ExplainedPick {
  const { result, winner, explanation } = decision;
  const candidates = candidatesOf(view, decision);
  const listed = candidates.length > LISTED ? weightiest(candidates, decision) : candidates;
  return {
    afterMs,
    result,
    upstream: winner?.id ?? null,
    among: amongWhom(view),
    rule: explanation?.rule ?? null,
    meaning: explanation?.meaning ?? null,
    better: explanation?.better ?? null,
    candidates: listed,
    unlisted: candidates.length - listed.length,
    excluded: countsOf(candidates),
  };
}

function candidatesOf(view: PoolView, { free, explanation }: Decision): ExplainedCandidate[] {
  const limits = { ...view, offered: new Set(offeredTo(view)) };
  const places = free.length > FEW ? new Map(free.map((upstream, index) => [upstream, index])) : null;
  const candidates: ExplainedCandidate[] = [];
  for (const upstream of view.upstreams) {
    const place = places === null ? free.indexOf(upstream) : (places.get(upstream) ?? -1);
    const score = explanation?.scores[place] ?? Number.NaN;
    const { id, lifecycle, condition: health, inFlight, weight } = upstream;
    candidates.push({
      id,
      excluded: place === -1 ? exclusionOf(upstream, limits) : null,
      score: Number.isNaN(score) ? null : score,
      lifecycle,
      health,
      inFlight,
      weight,
    });
  }
  return candidates;
}

/** @param view.offered - see `offeredTo`. @returns null: nothing is wrong with it. */
export function exclusionOf(
  upstream: Upstream,
  { tried, offered, limitOf }: Pick<PoolView, 'tried' | 'limitOf'> & { readonly offered: ReadonlySet<Upstream> },
): Exclusion | null {
  const { lifecycle, health, standing } = upstream;
  if (tried.includes(upstream)) return 'tried';
  const isFull = upstream.inFlight >= limitOf(upstream);
  if (isFull && offered.has(upstream)) return 'full'; // that it is unfit as well has kept nobody away
  if (lifecycle !== 'ready') return lifecycle;
  if (health === 'unknown') return 'unchecked';
  if (health !== 'healthy') return 'unhealthy';
  if (standing !== 'in') return standing;
  return isFull ? 'full' : null;
}

/** Who can be picked, the full ones included. */
function offeredTo({ offer, tried }: Pick<PoolView, 'offer' | 'tried'>): readonly Upstream[] {
  const { fit, first, lastResort } = offer;
  if (tried.length === 0) return first.length > 0 ? first : lastResort;
  const isNew = (upstream: Upstream) => !tried.includes(upstream);
  return fit.some(isNew) ? fit.filter(isNew) : lastResort.filter(isNew);
}

/** Whom a request is sent to, before anybody is left out as full. */
export function amongWhom({ offer, tried }: Pick<PoolView, 'offer' | 'tried'>): ExplainedPick['among'] {
  const { fit, first } = offer;
  const isFirst = tried.length === 0;
  const preferred = isFirst ? first : fit.filter((upstream) => !tried.includes(upstream));
  if (preferred.length === 0) return 'last-resort';
  return isFirst && first !== fit ? 'panic' : 'fit';
}

/** The winner, who was tried, and the best by score; some of those that were excluded. */
function weightiest(all: readonly ExplainedCandidate[], { winner, explanation }: Decision): ExplainedCandidate[] {
  const sign = explanation?.better === 'more' ? -1 : 1;
  const rank = ({ id, excluded, score }: ExplainedCandidate) => {
    if (id === winner?.id) return Number.NEGATIVE_INFINITY;
    if (excluded === 'tried') return -Number.MAX_VALUE;
    return score === null ? Number.MAX_VALUE : sign * score;
  };
  const isOut = ({ excluded }: ExplainedCandidate) => excluded !== null && excluded !== 'tried';
  const out = all.filter(isOut).slice(0, LISTED_EXCLUDED);
  const best = all.filter((candidate) => !isOut(candidate)).toSorted((a, b) => rank(a) - rank(b));
  return [...best.slice(0, LISTED - out.length), ...out];
}

function countsOf(candidates: readonly ExplainedCandidate[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { excluded } of candidates) if (excluded !== null) counts[excluded] = (counts[excluded] ?? 0) + 1;
  return counts;
}
