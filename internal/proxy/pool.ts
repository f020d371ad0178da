import type { Balancer, PickContext } from '../algorithms/balancer.ts';
import type { Lifecycle } from '../model/lifecycle.ts';
import { Lease, type LeaseOwner } from './lease.ts';
import type { Outcome } from './outcome.ts';
import { SharedState, SlotAllocator } from './shared-state.ts';
import type { Upstream } from './upstream.ts';

export interface PoolEvents {
  /** No connection could be made: counts at once, before any probe. */
  connectFailed(upstream: Upstream, cause: string): void;
  /** A request on an upstream that gets no more of them ended. */
  drained(upstream: Upstream): void;
}

/** Where what all threads know of a pool is kept. */
export interface PoolPlace {
  readonly state: SharedState;
  readonly pool: number;
}

/**
 * The upstreams of one service. What may be picked is decided here and only here, never inside an algorithm:
 * lifecycle `ready` and healthy; when no such upstream is left, the unhealthy ones as a last resort.
 *
 * Each thread has a pool of its own over the same place: a pick is made under the lock of that place, and sees every
 * change that the main thread has made before.
 */
export class Pool implements LeaseOwner {
  readonly name: string;
  readonly #events: PoolEvents;
  readonly #now: () => number;
  readonly #place: PoolPlace;
  readonly #upstreams = new Map<string, Upstream>();
  #balancer: Balancer;
  #healthy: readonly Upstream[] = [];
  #unhealthy: readonly Upstream[] = [];
  /** The epoch that the two lists are of. */
  #epoch = Number.NaN;

  constructor(name: string, balancer: Balancer, events: PoolEvents, now: () => number, place: PoolPlace = lonePool()) {
    this.name = name;
    this.#balancer = balancer;
    this.#events = events;
    this.#now = now;
    this.#place = place;
  }

  get balancer(): Balancer {
    return this.#balancer;
  }

  set balancer(balancer: Balancer) {
    this.#balancer = balancer;
  }

  get place(): PoolPlace {
    return this.#place;
  }

  upstreams(): Iterable<Upstream> {
    return this.#upstreams.values();
  }

  get(id: string): Upstream | undefined {
    return this.#upstreams.get(id);
  }

  put(upstream: Upstream): void {
    this.#retire(this.#upstreams.get(upstream.id));
    this.#upstreams.set(upstream.id, upstream);
    this.invalidate();
  }

  delete(id: string): void {
    this.#retire(this.#upstreams.get(id));
    this.#upstreams.delete(id);
    this.invalidate();
  }

  /** Gives no more leases, in no thread; those that are out run on, and every end of one is told. */
  close(): void {
    for (const upstream of this.#upstreams.values()) this.#retire(upstream);
    this.invalidate();
  }

  /** To be called after any change of an upstream's lifecycle, health or weight: the next pick of any thread sees it. */
  invalidate(): void {
    this.#epoch = Number.NaN;
    if (this.#place.state.thread === 0) this.#place.state.bump(this.#place.pool);
  }

  /** The upstreams that a request may go to when all is well; the same array until something changes. */
  healthy(): readonly Upstream[] {
    const epoch = this.#place.state.epoch(this.#place.pool);
    if (this.#epoch !== epoch) {
      this.#epoch = epoch;
      const ready = [...this.#upstreams.values()]
        .filter((upstream) => upstream.lifecycle === 'ready')
        .toSorted((a, b) => a.ordinal - b.ordinal);
      this.#healthy = ready.filter((upstream) => upstream.health === 'healthy');
      this.#unhealthy = ready.filter((upstream) => upstream.health === 'unhealthy');
    }
    return this.#healthy;
  }

  /** Picks and claims an upstream; null when there is nobody to pick. */
  lease(context: PickContext, tried: readonly Upstream[]): Lease | null {
    const { state, pool } = this.#place;
    state.lock(pool);
    try {
      const healthy = without(this.healthy(), tried);
      const candidates = healthy.length > 0 ? healthy : without(this.#unhealthy, tried);
      if (candidates.length === 0) return null;
      const upstream = this.#balancer.pick(candidates, context);
      return new Lease(this, upstream, candidates !== healthy, this.#now);
    } finally {
      state.unlock(pool);
    }
  }

  observed(upstream: Upstream, sample: { elapsed: number; failed: boolean; now: number }): void {
    if (!this.#balancer.learns) return;
    const { state, pool } = this.#place;
    state.lock(pool);
    try {
      this.#balancer.observe(upstream, this.healthy(), sample);
    } finally {
      state.unlock(pool);
    }
  }

  released(upstream: Upstream, outcome: Outcome, lifecycle: Lifecycle): void {
    if (outcome.kind === 'connect-failed') this.#events.connectFailed(upstream, outcome.cause);
    if (lifecycle !== 'ready') this.#events.drained(upstream);
  }

  /** Other threads have the upstream in their lists until they hear of it: they must not pick it any more. */
  #retire(upstream: Upstream | undefined): void {
    if (upstream !== undefined && this.#place.state.thread === 0) upstream.lifecycle = 'stopped';
  }
}

function without(upstreams: readonly Upstream[], tried: readonly Upstream[]): readonly Upstream[] {
  return tried.length === 0 ? upstreams : upstreams.filter((upstream) => !tried.includes(upstream));
}

/** For a pool that no other thread knows. */
export function lonePool(): PoolPlace {
  const allocator = new SlotAllocator(SharedState.create({ upstreams: 1, pools: 1, threads: 0 }));
  return { state: allocator.state, pool: allocator.pool() };
}
