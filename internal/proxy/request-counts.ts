import type { SharedSize } from './shared-state.ts';

/** Requests to one pool that are over. */
export interface EndedRequests {
  readonly ended: number;
  /** Those that failed for the client: a 5xx, or a response that broke off. */
  readonly failed: number;
}

/** How requests ended for the clients of each pool, in memory that all threads share; each thread has a row of its own. */
export class RequestCounts {
  readonly #pools: number;
  /** Where the row of this thread begins. */
  readonly #own: number;
  readonly #ended: Float64Array;
  readonly #failed: Float64Array;

  /** @param floats - gives out columns of the memory. */
  constructor({ pools, threads }: SharedSize, thread: number, floats: (length: number) => Float64Array) {
    this.#pools = pools;
    this.#own = thread * pools;
    this.#ended = floats((threads + 1) * pools);
    this.#failed = floats((threads + 1) * pools);
  }

  /** How many floats the columns take. */
  static size({ pools, threads }: SharedSize): number {
    return 2 * (threads + 1) * pools;
  }

  count(pool: number, failed: boolean): void {
    const own = this.#own + pool;
    this.#ended[own] = (this.#ended[own] ?? 0) + 1;
    if (failed) this.#failed[own] = (this.#failed[own] ?? 0) + 1;
  }

  /** Of all threads together. */
  read(pool: number): EndedRequests {
    let ended = 0;
    let failed = 0;
    for (let at = pool; at < this.#ended.length; at += this.#pools) {
      ended += this.#ended[at] ?? 0;
      failed += this.#failed[at] ?? 0;
    }
    return { ended, failed };
  }

  clear(pool: number): void {
    for (let at = pool; at < this.#ended.length; at += this.#pools) {
      this.#ended[at] = 0;
      this.#failed[at] = 0;
    }
  }
}
