import type { Clock } from '../../pkg/clock/clock.ts';
import type { ServicePool } from './service-pool.ts';
import { type Admission, admit, isRamping, sharesOf } from './slow-start.ts';
import type { Upstream } from './upstream.ts';

/** How often the weights of new upstreams grow, in milliseconds. */
const STEP_MS = 500;

/** Lets the weights of new upstreams grow, in the memory of all threads; of the main thread alone. */
export class Newcomers {
  readonly #clock: Clock;
  /** Of upstreams that get requests. */
  readonly #admissions = new WeakMap<Upstream, Admission>();
  /** Seen in use by nobody: not ready yet, unhealthy, or ejected. */
  readonly #wereOut = new WeakSet<Upstream>();
  /** In use before this load balancer came, as far as anybody knows. */
  readonly #found = new WeakSet<Upstream>();
  readonly #ramping = new Set<ServicePool>();
  /** The slow start that the weights of a pool are of. */
  readonly #weighedFor = new WeakMap<ServicePool, number | null>();
  #waits = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The upstream was there before this load balancer. */
  found(upstream: Upstream): void {
    this.#found.add(upstream);
  }

  /**
   * To be called after any change of a pool's upstreams or settings.
   * @param changed - those that may have changed.
   */
  look(pool: ServicePool, changed: Iterable<Upstream> = pool.upstreams()): void {
    const now = this.#clock.monotonic();
    const { slowStart } = pool.service;
    const coming = [...changed].filter((upstream) => this.#comes(upstream));
    const { fresh = [], known = [] } = Object.groupBy(coming, (upstream) =>
      this.#isNew(upstream, slowStart) ? 'fresh' : 'known',
    );
    for (const upstream of known) this.#admissions.set(upstream, { at: now, isNew: false, ramps: false });
    if (fresh.length > 0) {
      const admission = admit(this.#inUse(pool), now, slowStart); // of the others, before one of them is
      for (const upstream of fresh) this.#admissions.set(upstream, admission);
    } else if (!this.#ramping.has(pool) && this.#weighedFor.get(pool) === slowStart) return; // each has its own weight
    this.#weigh(pool, now);
    this.#waitForStep();
  }

  /** The pool is gone. */
  forget(pool: ServicePool): void {
    this.#ramping.delete(pool);
  }

  /** Whether it is to get requests, and got none before. */
  #comes(upstream: Upstream): boolean {
    const { lifecycle, health, standing, isFit } = upstream;
    if (lifecycle !== 'ready' || health === 'unhealthy' || standing !== 'in') this.#wereOut.add(upstream);
    if (lifecycle === 'ready' && isFit) return !this.#admissions.has(upstream);
    this.#admissions.delete(upstream);
    return false;
  }

  /** One that has long been running when it is first seen is in use by others, or was by an earlier load balancer. */
  #isNew(upstream: Upstream, slowStart: number | null): boolean {
    if (this.#wereOut.has(upstream)) return true;
    const { startedAt } = upstream.instance;
    if (startedAt === null) return !this.#found.has(upstream);
    return this.#clock.now() - startedAt < (slowStart ?? 0);
  }

  *#inUse(pool: ServicePool): Generator<Admission> {
    for (const upstream of pool.upstreams()) {
      const admission = this.#admissions.get(upstream);
      if (admission !== undefined) yield admission;
    }
  }

  /** Once over all that there are, with every change of a pool of thousands: what it does for each counts. */
  #weigh(pool: ServicePool, now: number): void {
    const { slowStart } = pool.service;
    const [inUse, admissions]: [Upstream[], Admission[]] = [[], []];
    let changed = false;
    for (const upstream of pool.upstreams()) {
      const admission = this.#admissions.get(upstream);
      if (admission === undefined) changed = setShare(upstream, 1) || changed;
      else {
        inUse.push(upstream);
        admissions.push(admission);
      }
    }
    const shares = sharesOf(admissions, now, slowStart);
    for (const [at, upstream] of inUse.entries()) changed = setShare(upstream, shares[at] ?? 1) || changed;
    this.#weighedFor.set(pool, slowStart);
    if (changed) pool.invalidate();
    if (admissions.some((admission) => isRamping(admission, now, slowStart))) this.#ramping.add(pool);
    else this.#ramping.delete(pool);
  }

  #waitForStep(): void {
    if (this.#waits || this.#ramping.size === 0) return;
    this.#waits = true;
    this.#clock.after(STEP_MS, () => {
      this.#waits = false;
      for (const pool of [...this.#ramping]) this.#weigh(pool, this.#clock.monotonic());
      this.#waitForStep();
    });
  }
}

/** Whether that is another weight. */
function setShare(upstream: Upstream, share: number): boolean {
  const weight = upstream.instance.weight * share;
  if (upstream.weight === weight) return false;
  upstream.weight = weight;
  return true;
}
