import type { Routes } from '../engine.ts';
import { type Destination, routerOf } from '../destination.ts';
import type { PoolEvents } from '../pool-parts.ts';
import type { RateLimits } from '../rate-limit/rate-limits.ts';
import type { Router } from '../routing.ts';
import { ServicePool } from '../service-pool.ts';
import type { SharedState } from '../shared-state.ts';
import { Upstream } from '../upstream.ts';
import type { PictureChange, PoolPicture } from './messages.ts';

export interface ThreadFleetOptions {
  readonly state: SharedState;
  readonly limits: RateLimits;
  readonly cookieSecret: string;
  /** Milliseconds of a monotonic clock that all threads share. */
  readonly now: () => number;
  readonly events: PoolEvents;
  /** The upstream is gone for good. */
  readonly upstreamRemoved: (id: string) => void;
}

/** One thread's view of the pools: which there are it is told, how they are it reads in the shared memory. */
export class ThreadFleet implements Routes {
  readonly #options: ThreadFleetOptions;
  readonly #pools = new Map<string, ServicePool>();
  #router: Router<Destination>;

  constructor(options: ThreadFleetOptions) {
    this.#options = options;
    this.#router = routerOf([], options.limits);
  }

  match(host: string, target: string): Destination | undefined {
    return this.#router.match(host, target);
  }

  apply({ pools, removed }: PictureChange): void {
    for (const name of removed) this.#remove(name);
    for (const picture of pools) this.#applyPool(picture);
    this.#router = routerOf(this.#pools.values(), this.#options.limits);
  }

  #remove(name: string): void {
    const pool = this.#pools.get(name);
    if (pool === undefined) return;
    this.#pools.delete(name);
    pool.close();
    for (const { id } of pool.upstreams()) this.#options.upstreamRemoved(id);
  }

  #applyPool(picture: PoolPicture): void {
    const { service } = picture;
    const present = this.#pools.get(service.name);
    const pool = present?.place.pool === picture.pool ? present : this.#newPool(picture);
    if (pool === present) pool.configure(service, this.#options.cookieSecret);
    pool.page = picture.page;
    for (const id of picture.gone) this.#drop(pool, id);
    for (const { slot, instance } of picture.upstreams) {
      this.#drop(pool, instance.id);
      pool.put(new Upstream(instance, { state: this.#options.state, slot }));
    }
  }

  #drop(pool: ServicePool, id: string): void {
    if (pool.get(id) === undefined) return;
    pool.delete(id);
    this.#options.upstreamRemoved(id);
  }

  /** A service that was removed and came back between two pictures has another place. */
  #newPool({ service, pool: place }: PoolPicture): ServicePool {
    const { state, cookieSecret, events, now } = this.#options;
    this.#remove(service.name);
    const pool = new ServicePool(service, cookieSecret, events, now, { state, pool: place });
    this.#pools.set(service.name, pool);
    return pool;
  }
}
