import type { Clock } from '../../pkg/clock/clock.ts';
import { ConcurrencyLimit } from '../health/concurrency.ts';
import type { AdaptiveConcurrency } from '../model/overload.ts';
import type { Fleet } from './fleet.ts';
import type { ServicePool } from './service-pool.ts';
import type { Upstream } from './upstream.ts';

/** Between two looks, in milliseconds. */
const LOOK_MS = 100;
/** The same while no service asks for it. */
const IDLE_LOOK_MS = 1_000;

export interface ConcurrencyControlOptions {
  readonly fleet: Pick<Fleet, 'pools'>;
  readonly clock: Clock;
  /** Milliseconds of the monotonic clock that the threads measure by. */
  readonly now: () => number;
  /** In [0, 1), as `Math.random`. */
  readonly random: () => number;
}

/**
 * Keeps the limits of `adaptiveConcurrency` in the memory of all threads, by what these have counted there. Of the main
 * thread alone; the threads only compare.
 */
export class ConcurrencyControl {
  readonly #options: ConcurrencyControlOptions;
  readonly #controlled = new WeakSet<ServicePool>();
  #cancelTimer: (() => void) | null = null;

  constructor(options: ConcurrencyControlOptions) {
    this.#options = options;
  }

  start(): void {
    const isUsed = this.#look();
    this.#cancelTimer = this.#options.clock.after(isUsed ? LOOK_MS : IDLE_LOOK_MS, () => this.start());
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  /** @returns whether any service asks for it. */
  #look(): boolean {
    let isUsed = false;
    for (const pool of this.#options.fleet.pools()) {
      const { adaptiveConcurrency } = pool.service;
      if (adaptiveConcurrency === null) {
        this.#release(pool);
        continue;
      }
      isUsed = true;
      this.#controlled.add(pool);
      this.#control(pool, adaptiveConcurrency);
    }
    return isUsed;
  }

  #control(pool: ServicePool, settings: AdaptiveConcurrency): void {
    const now = this.#options.now();
    let hasGrown = false;
    for (const upstream of pool.upstreams()) {
      if (upstream.lifecycle === 'ready') hasGrown = this.#limit(upstream, settings, now) || hasGrown;
    }
    if (hasGrown) pool.place.state.signal(pool.place.pool);
  }

  /**
   * Responses that have begun are no load that could be seen by latencies, and WebSockets may stay for hours: the limit is
   * not about them.
   * @returns whether there may be room for one more.
   */
  #limit(upstream: Upstream, settings: AdaptiveConcurrency, now: number): boolean {
    const { answers, logMs, gatewayErrors, answering } = upstream.observed;
    const limit = upstream.concurrencyLimit ?? new ConcurrencyLimit(settings, now, this.#options.random);
    upstream.concurrencyLimit = limit;
    limit.settings = settings;
    const inUse = Math.max(upstream.inFlight - answering, 0);
    limit.look({ answers, logMs, gatewayErrors, inUse, wasFull: upstream.takeRefused() }, now);
    const before = upstream.concurrency;
    upstream.concurrency = limit.value;
    return upstream.concurrency > before || answering > 0; // who makes room by beginning to answer tells nobody
  }

  #release(pool: ServicePool): void {
    if (!this.#controlled.delete(pool)) return;
    for (const upstream of pool.upstreams()) {
      upstream.concurrency = 0;
      upstream.concurrencyLimit = null;
    }
  }
}
