import type { Balancer, PickContext } from '../algorithms/balancer.ts';
import { Lease, type LeaseOwner } from './lease.ts';
import type { Outcome } from './outcome.ts';
import type { Upstream } from './upstream.ts';

export interface PoolEvents {
  /** No connection could be made: counts at once, before any probe. */
  connectFailed(upstream: Upstream, cause: string): void;
  /** A request on a draining upstream, or in a closed pool, ended. */
  drained(upstream: Upstream): void;
}

/**
 * The upstreams of one service. What may be picked is decided here and only here, never inside an algorithm:
 * lifecycle `ready` and healthy; when no such upstream is left, the unhealthy ones as a last resort.
 */
export class Pool implements LeaseOwner {
  readonly name: string;
  readonly #events: PoolEvents;
  readonly #now: () => number;
  readonly #upstreams = new Map<string, Upstream>();
  #balancer: Balancer;
  #healthy: readonly Upstream[] | null = null;
  #unhealthy: readonly Upstream[] = [];
  #closed = false;

  constructor(name: string, balancer: Balancer, events: PoolEvents, now: () => number) {
    this.name = name;
    this.#balancer = balancer;
    this.#events = events;
    this.#now = now;
  }

  get balancer(): Balancer {
    return this.#balancer;
  }

  set balancer(balancer: Balancer) {
    this.#balancer = balancer;
  }

  upstreams(): Iterable<Upstream> {
    return this.#upstreams.values();
  }

  get(id: string): Upstream | undefined {
    return this.#upstreams.get(id);
  }

  put(upstream: Upstream): void {
    this.#upstreams.set(upstream.id, upstream);
    this.invalidate();
  }

  delete(id: string): void {
    this.#upstreams.delete(id);
    this.invalidate();
  }

  /** Gives no more leases; those that are out run on, and every end of one is told. */
  close(): void {
    this.#closed = true;
  }

  /** To be called after any change of an upstream's lifecycle, health or weight. */
  invalidate(): void {
    this.#healthy = null;
  }

  /** The upstreams that a request may go to when all is well; the same array until something changes. */
  healthy(): readonly Upstream[] {
    if (this.#healthy === null) {
      const ready = [...this.#upstreams.values()].filter((upstream) => upstream.instance.lifecycle === 'ready');
      this.#healthy = ready.filter((upstream) => upstream.health === 'healthy');
      this.#unhealthy = ready.filter((upstream) => upstream.health === 'unhealthy');
    }
    return this.#healthy;
  }

  /** Picks and claims an upstream; null when there is nobody to pick. */
  lease(context: PickContext, tried: readonly Upstream[]): Lease | null {
    const healthy = without(this.healthy(), tried);
    const candidates = healthy.length > 0 ? healthy : without(this.#unhealthy, tried);
    if (candidates.length === 0 || this.#closed) return null;
    const upstream = this.#balancer.pick(candidates, context);
    return new Lease(this, upstream, candidates !== healthy, this.#now);
  }

  observed(upstream: Upstream, sample: { elapsed: number; failed: boolean; now: number }): void {
    this.#balancer.observe(upstream, this.healthy(), sample);
  }

  released(upstream: Upstream, outcome: Outcome): void {
    if (outcome.kind === 'connect-failed') this.#events.connectFailed(upstream, outcome.cause);
    if (this.#closed || upstream.instance.lifecycle === 'draining') this.#events.drained(upstream);
  }
}

function without(upstreams: readonly Upstream[], tried: readonly Upstream[]): readonly Upstream[] {
  return tried.length === 0 ? upstreams : upstreams.filter((upstream) => !tried.includes(upstream));
}
