import type { ExplainedRequest } from '../../model/explained-request.ts';
import type { Lease } from '../lease.ts';
import type { Refusal } from '../pool-parts.ts';
import type { RequestIds } from '../request-ids.ts';
import type { RetryRefusal } from '../retry.ts';
import { TokenBucket } from './token-bucket.ts';
import { Trail, type TrailFacts } from './trail.ts';
import { TrailRing } from './trail-ring.ts';

export interface ExplainSettings {
  /** Requests that each thread keeps, and as many again of those that went badly; 0: none. */
  readonly keep: number;
  /** Of the requests of one second so many are recorded in each thread, and as many again of those that go badly. */
  readonly perSecond: number;
}

/** A request on its way through a pool. */
export interface Followed {
  /** Null: nobody follows it so far. */
  readonly context: { trail: Trail | null };
  readonly pool: { readonly size: number };
  /** What the client got; 499: it left before. */
  readonly status: number;
  readonly leases: readonly Lease[];
  /** Why it got no upstream, or no other one; null: it did. */
  readonly refusal: Refusal | null;
  /** Why a failed attempt was the last one; null: nothing was to repeat. */
  readonly notRepeated: RetryRefusal | null;
  facts(): TrailFacts;
}

export type RefusedFacts = Pick<TrailFacts, 'id' | 'client' | 'method' | 'host' | 'target' | 'service' | 'trace'>;

/** What one thread knows of a request. */
export interface Finding {
  readonly found: ExplainedRequest | null;
  /** How many requests it keeps. */
  readonly kept: number;
  /** When the oldest of them came; epoch milliseconds; null: it keeps none. */
  readonly since: number | null;
  /** Whether the thread gave the id to a request. */
  readonly isOurs: boolean;
}

/** A pool of so many upstreams costs one token; larger ones cost more, since all of them are looked at. */
const CHOICES_PER_TOKEN = 50;
const CLIENT_GONE = 499;

/**
 * Keeps the trails of some requests, for one thread. Under load a few of all are sampled; those that go badly, such as repeated,
 * refused or waiting ones, have tokens and a ring of their own, so that they are neither left out nor soon forgotten.
 */
export class Explainer {
  readonly #now: () => number;
  readonly #ids: RequestIds;
  readonly #settings: ExplainSettings;
  readonly #trails = new Map<string, Trail>();
  readonly #ordinary: TrailRing;
  readonly #notable: TrailRing;
  readonly #tokens: TokenBucket;
  readonly #reserve: TokenBucket;

  /** @param settings - `keep` above 0. */
  constructor(settings: ExplainSettings, ids: RequestIds, now: () => number) {
    this.#settings = settings;
    this.#ids = ids;
    this.#now = now;
    this.#ordinary = new TrailRing(settings.keep);
    this.#notable = new TrailRing(settings.keep);
    this.#tokens = new TokenBucket(settings.perSecond, now());
    this.#reserve = new TokenBucket(settings.perSecond, now());
  }

  isFor({ keep, perSecond }: ExplainSettings): boolean {
    return keep === this.#settings.keep && perSecond === this.#settings.perSecond;
  }

  /** Before the first pick. @param now - milliseconds of the engine's clock. */
  sample(request: Followed, now: number): void {
    if (this.#tokens.isEmptyAt(now)) return; // as nearly always under load
    if (!this.#tokens.take(costOf(request), now)) return;
    const trail = new Trail(request.facts(), true, now, this.#now);
    request.context.trail = trail;
    this.#keep(trail, this.#ordinary);
  }

  /** It waits, or is repeated: from now on it is followed, if it was not before. */
  follow(request: Followed): void {
    if (request.context.trail === null) this.#followAt(this.#now(), request, costOf(request));
  }

  #followAt(now: number, request: Followed, cost: number): void {
    if (!this.#reserve.take(cost, now)) return;
    const trail = new Trail(request.facts(), false, request.leases[0]?.startedAt ?? now, this.#now);
    request.context.trail = trail;
    this.#keep(trail, this.#notable);
  }

  /** It has just come to its end. */
  over(request: Followed): void {
    const isBad = isNotable(request);
    if (!isBad && request.context.trail === null) return; // as most
    const now = this.#now();
    if (request.context.trail === null) this.#followAt(now, request, 1); // no pick will be looked at any more
    const { trail } = request.context;
    if (trail === null) return;
    const { status, refusal, notRepeated } = request;
    trail.ends(status, now, { refusal, notRepeated });
    if (isBad && trail.sampled && this.#reserve.take(1, now)) this.#keep(trail, this.#notable);
  }

  /** Of a request that goes to no upstream. @param refusal - which rule it broke; null: none. */
  refuse(facts: RefusedFacts, status: number, refusal: string | null): void {
    const now = this.#now();
    if (!this.#tokens.take(1, now)) return;
    const trail = new Trail({ ...facts, algorithm: null, leases: [] }, true, now, this.#now);
    trail.ends(status, now, { refusal });
    this.#keep(trail, this.#ordinary);
  }

  find(id: string): Finding {
    const since = Math.min(this.#ordinary.since, this.#notable.since);
    return {
      found: this.#trails.get(id)?.view() ?? null,
      kept: this.#trails.size,
      since: Number.isFinite(since) ? Math.round(Date.now() - (this.#now() - since)) : null,
      isOurs: this.#ids.hasMade(id),
    };
  }

  #keep(trail: Trail, ring: TrailRing): void {
    this.#trails.set(trail.id, trail); // a client may use an id again: the last one counts
    trail.kept += 1;
    const gone = ring.add(trail);
    if (gone === undefined) return;
    gone.kept -= 1;
    if (gone.kept === 0 && this.#trails.get(gone.id) === gone) this.#trails.delete(gone.id);
  }
}

/** What nobody knows of a request. */
export const NOTHING_KEPT: Finding = { found: null, kept: 0, since: null, isOurs: false };

/** The present one while it is as it should be, otherwise a new one, without what the other kept; null: nothing is to be kept. */
export function explainerFor(
  settings: ExplainSettings,
  {
    explainer,
    ids,
    now,
  }: { readonly explainer: Explainer | null; readonly ids: RequestIds; readonly now: () => number },
): Explainer | null {
  if (settings.keep === 0) return null;
  return explainer?.isFor(settings) === true ? explainer : new Explainer(settings, ids, now);
}

/** In tokens, for each pick of it. */
function costOf({ pool }: Followed): number {
  return Math.max(pool.size / CHOICES_PER_TOKEN, 1);
}

/** Somebody may ask why: it was repeated, got nobody, waited in vain, broke off, was refused midway, or went to who was known to be unfit. */
function isNotable({ leases, status }: Followed): boolean {
  const lease = leases[0];
  if (lease === undefined || leases.length > 1 || lease.lastResort) return true;
  const { outcome } = lease;
  if (outcome?.kind === 'client-closed') return status >= 400 && status !== CLIENT_GONE;
  return outcome?.kind !== 'completed';
}
