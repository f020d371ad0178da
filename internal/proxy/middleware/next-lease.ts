import { Lease } from '../lease.ts';
import type { Pool } from '../pool.ts';
import type { LeaseSeeker, Refusal } from '../pool-parts.ts';
import type { RequestContext } from '../request-context.ts';
import type { Upstream } from '../upstream.ts';
import type { Waiting } from '../waiting-line.ts';

/** Waits for the pool's leases, one after the other, on behalf of one request. */
export class NextLease implements LeaseSeeker {
  readonly #pool: Pick<Pool, 'acquire' | 'holds'>;
  readonly #context: RequestContext;
  readonly #waits: () => void;
  /** How long the request has waited, in milliseconds. */
  waitedMs = 0;
  #waiting: Waiting | null = null;
  #waitsSince = 0;
  #resolve: (found: Lease | Refusal) => void = () => {};
  #givenUp = false;

  /** @param waits - called when the request begins to wait. */
  constructor(pool: Pick<Pool, 'acquire' | 'holds'>, context: RequestContext, waits: () => void) {
    this.#pool = pool;
    this.#context = context;
    this.#waits = waits;
  }

  /** Resolves with `nobody` when it is given up, too. */
  async get(tried: readonly Upstream[]): Promise<Lease | Refusal> {
    if (this.#givenUp) return 'nobody';
    const found = this.#pool.acquire(this.#context, tried, this);
    if (found instanceof Lease || typeof found === 'string') return found;
    this.#waiting = found;
    this.#waitsSince = this.#context.now();
    this.#waits();
    this.#context.trail?.waits(this.#pool.holds ? 'held' : 'busy');
    const { promise, resolve } = Promise.withResolvers<Lease | Refusal>();
    this.#resolve = resolve;
    return await promise;
  }

  turn(found: Lease | Refusal): void {
    this.#waitEnds(found instanceof Lease ? found.startedAt : this.#context.now());
    if (this.#givenUp && found instanceof Lease) found.release({ kind: 'client-closed' });
    else this.#resolve(found);
  }

  /** Nobody waits for the answer any more. */
  giveUp(): void {
    this.#givenUp = true;
    this.#waiting?.cancel();
    this.#waitEnds(this.#context.now());
    this.#resolve('nobody');
  }

  /** @param at - where a lease was found, when that began: a busy thread hears of it later, and from then on it is the attempt's time. */
  #waitEnds(at: number): void {
    if (this.#waiting === null) return;
    this.#waiting = null;
    this.waitedMs += at - this.#waitsSince;
    this.#context.trail?.waited(at);
  }
}
