import type { PickContext } from '../../algorithms/balancer.ts';
import { Lease } from '../lease.ts';
import type { Pool } from '../pool.ts';
import type { LeaseSeeker, Refusal } from '../pool-parts.ts';
import type { Upstream } from '../upstream.ts';
import type { Waiting } from '../waiting-line.ts';

/** Waits for the pool's leases, one after the other, on behalf of one request. */
export class NextLease implements LeaseSeeker {
  readonly #pool: Pool;
  readonly #context: PickContext;
  #waiting: Waiting | null = null;
  #resolve: (found: Lease | Refusal) => void = () => {};
  #givenUp = false;

  constructor(pool: Pool, context: PickContext) {
    this.#pool = pool;
    this.#context = context;
  }

  /** Resolves with `nobody` when it is given up, too. */
  async get(tried: readonly Upstream[]): Promise<Lease | Refusal> {
    if (this.#givenUp) return 'nobody';
    const found = this.#pool.acquire(this.#context, tried, this);
    if (found instanceof Lease || typeof found === 'string') return found;
    this.#waiting = found;
    const { promise, resolve } = Promise.withResolvers<Lease | Refusal>();
    this.#resolve = resolve;
    return await promise;
  }

  turn(found: Lease | Refusal): void {
    this.#waiting = null;
    if (this.#givenUp && found instanceof Lease) found.release({ kind: 'client-closed' });
    else this.#resolve(found);
  }

  /** Nobody waits for the answer any more. */
  giveUp(): void {
    this.#givenUp = true;
    this.#waiting?.cancel();
    this.#resolve('nobody');
  }
}
