import type { AdaptiveConcurrency } from '../model/overload.ts';
import type { OutlierDetection } from '../model/outlier-detection.ts';
import type { PickContext } from '../algorithms/balancer.ts';
import type { Explanation } from '../algorithms/explanation.ts';
import type { ExplainedPick } from '../model/explained-request.ts';
import type { Trail } from './explain/trail.ts';
import type { Lease } from './lease.ts';
import type { SharedState } from './shared-state.ts';
import type { Upstream } from './upstream.ts';

export interface PoolEvents {
  /** No connection could be made: counts at once, before any probe. */
  connectFailed(upstream: Upstream, cause: string): void;
  /** A request on an upstream that gets no more of them ended. */
  drained(upstream: Upstream): void;
  /** An upstream has failed as often in a row as one may, or while it was on trial. */
  failing?(): void;
  /** A request is held, the first of all threads that is. */
  held?(): void;
}

/** Where what all threads know of a pool is kept. */
export interface PoolPlace {
  readonly state: SharedState;
  readonly pool: number;
}

/** How many requests an upstream takes at a time, and how many may wait. */
export interface PoolLimits {
  /** Requests in flight; null: no limit. */
  readonly maxConnections: number | null;
  /** Whether there is a limit besides, found out for each upstream by itself; null: there is none. */
  readonly adaptiveConcurrency: AdaptiveConcurrency | null;
  readonly queue: QueueLimits;
  /** While the pool is paused, or asleep. */
  readonly hold: LineLimits;
  /** Whether a pool without any upstream is asleep: somebody will be there soon. */
  readonly scaleFromZero: boolean;
  /** `neverEmpty`: whether the unhealthy are tried as a last resort. */
  readonly healthCheck: { readonly neverEmpty: boolean };
  /** See `offerOf`. */
  readonly panicThreshold: number;
  readonly outlierDetection: Pick<OutlierDetection, 'consecutiveErrors' | 'interval'>;
}

export interface LineLimits {
  /** Over all threads. */
  readonly limit: number;
  /** In milliseconds. */
  readonly timeout: number;
}

export interface QueueLimits extends LineLimits {
  /** Whether nobody waits who would wait in vain, see `LineGauge`. */
  readonly shed: boolean;
}

/**
 * Why a request gets no upstream: there is none for it, all that there are for it have as much as they take, that was to
 * last for too long, or the pool gives none at present.
 */
export type Refusal = 'nobody' | 'busy' | 'shed' | 'held';

/** All that there are for it have as much as they take. */
export function isFull(refusal: Refusal | null): boolean {
  return refusal === 'busy' || refusal === 'shed';
}

/** The request that an upstream is looked for. */
export interface LeaseContext extends PickContext {
  /** Is told why who is picked; null: nobody wants to know. */
  readonly trail?: Trail | null;
}

/** Who can be picked now. */
export interface PoolOutlook {
  readonly among: ExplainedPick['among'];
  /** Why new requests are held; null: they are not. */
  readonly held: 'paused' | 'asleep' | null;
  readonly free: readonly Upstream[];
  /** The same with those that are full. */
  readonly offered: ReadonlySet<Upstream>;
  /** As an algorithm sees them for a request about which nothing is known; null: there is nobody. */
  readonly explanation: Explanation | null;
  /** Requests in flight that an upstream may have; infinite: any number. */
  readonly limitOf: (upstream: Upstream) => number;
}

/** Who looks for an upstream, and waits for one when need be. */
export interface LeaseSeeker {
  /** The wait is over; `busy`, `shed` and `held`: it was in vain. */
  turn(found: Lease | Refusal): void;
}
