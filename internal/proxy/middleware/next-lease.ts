import type { PickContext } from '../../algorithms/balancer.ts';
import { Lease } from '../lease.ts';
import type { Pool } from '../pool.ts';
import type { Upstream } from '../upstream.ts';
import type { Waiting } from '../waiting-line.ts';

/** Waits for the pool's leases, one after the other, on behalf of one request. */
export class NextLease {
  readonly #pool: Pool;
  readonly #context: PickContext;
  #waiting: Waiting | null = null;
  #resolve: (lease: Lease | null) => void = () => {};
  #givenUp = false;

  constructor(pool: Pool, context: PickContext) {
    this.#pool = pool;
    this.#context = context;
  }

  /** Resolves with null when nobody can be picked, in spite of all waiting, or when it was given up. */
  async get(tried: readonly Upstream[]): Promise<Lease | null> {
    if (this.#givenUp) return null;
    const { promise, resolve } = Promise.withResolvers<Lease | null>();
    const taken = this.#pool.acquire(this.#context, tried, (lease) => this.#settle(lease));
    if (taken === null || taken instanceof Lease) return taken;
    this.#waiting = taken;
    this.#resolve = resolve;
    return await promise;
  }

  /** Nobody waits for the answer any more. */
  giveUp(): void {
    this.#givenUp = true;
    this.#waiting?.cancel();
    this.#resolve(null);
  }

  #settle(lease: Lease | null): void {
    this.#waiting = null;
    if (this.#givenUp) lease?.release({ kind: 'client-closed' });
    else this.#resolve(lease);
  }
}
