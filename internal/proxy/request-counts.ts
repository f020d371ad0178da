import type { SharedSize } from './shared-state.ts';

/** Requests to one pool that are over. */
export interface EndedRequests {
  readonly ended: number;
  /** Those that failed for the client: a 5xx, or a response that broke off. */
  readonly failed: number;
}

/** How a request ended for its client. */
export interface RequestEnd {
  /** That the client got, or would have got. */
  readonly status: number;
  /** For the client: with a 5xx, or a response that broke off. */
  readonly hasFailed: boolean;
  /** Octets of bodies, without their framing, and of tunnels. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** What a client can get, by the first digit of its status; `other` is anything that is no status. */
export const STATUS_CLASSES = ['other', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;
const CLASSES = STATUS_CLASSES.length;
const PER_POOL = CLASSES + 4;

/** How requests ended for the clients of each pool, in memory that all threads share; each thread has a row of its own. */
export class RequestCounts {
  readonly #pools: number;
  /** Where the row of this thread begins. */
  readonly #own: number;
  /** `(thread · pools + pool) · CLASSES + class`. */
  readonly #ended: Float64Array;
  readonly #failed: Float64Array;
  readonly #retries: Float64Array;
  readonly #received: Float64Array;
  readonly #sent: Float64Array;

  /** @param floats - gives out columns of the memory. */
  constructor({ pools, threads }: SharedSize, thread: number, floats: (length: number) => Float64Array) {
    this.#pools = pools;
    this.#own = thread * pools;
    this.#ended = floats((threads + 1) * pools * CLASSES);
    this.#failed = floats((threads + 1) * pools);
    this.#retries = floats((threads + 1) * pools);
    this.#received = floats((threads + 1) * pools);
    this.#sent = floats((threads + 1) * pools);
  }

  /** How many floats the columns take. */
  static size({ pools, threads }: SharedSize): number {
    return PER_POOL * (threads + 1) * pools;
  }

  count(pool: number, { status, hasFailed, receivedBytes, sentBytes }: RequestEnd): void {
    const own = this.#own + pool;
    const at = own * CLASSES + classOf(status);
    this.#ended[at] = (this.#ended[at] ?? 0) + 1;
    if (hasFailed) this.#failed[own] = (this.#failed[own] ?? 0) + 1;
    this.#received[own] = (this.#received[own] ?? 0) + receivedBytes;
    this.#sent[own] = (this.#sent[own] ?? 0) + sentBytes;
  }

  /** A request goes to one more upstream, after the one before has failed it. */
  retried(pool: number): void {
    const own = this.#own + pool;
    this.#retries[own] = (this.#retries[own] ?? 0) + 1;
  }

  /** Of all threads together. */
  read(pool: number): EndedRequests {
    const ended = this.endedByClass(pool).reduce((sum, count) => sum + count, 0);
    return { ended, failed: this.#sum(this.#failed, pool) };
  }

  /** One number for each of `STATUS_CLASSES`, of all threads together. */
  endedByClass(pool: number): number[] {
    const sums = STATUS_CLASSES.map(() => 0);
    for (let row = pool; row * CLASSES < this.#ended.length; row += this.#pools) {
      for (let index = 0; index < CLASSES; index += 1) {
        sums[index] = (sums[index] ?? 0) + (this.#ended[row * CLASSES + index] ?? 0);
      }
    }
    return sums;
  }

  /** Of all threads together. */
  retries(pool: number): number {
    return this.#sum(this.#retries, pool);
  }

  /** Octets that clients sent in requests that are over, of all threads together. */
  receivedBytes(pool: number): number {
    return this.#sum(this.#received, pool);
  }

  /** The same of what they got. */
  sentBytes(pool: number): number {
    return this.#sum(this.#sent, pool);
  }

  clear(pool: number): void {
    for (let row = pool; row < this.#failed.length; row += this.#pools) {
      this.#ended.fill(0, row * CLASSES, (row + 1) * CLASSES);
      this.#failed[row] = 0;
      this.#retries[row] = 0;
      this.#received[row] = 0;
      this.#sent[row] = 0;
    }
  }

  #sum(column: Float64Array, pool: number): number {
    let sum = 0;
    for (let at = pool; at < column.length; at += this.#pools) sum += column[at] ?? 0;
    return sum;
  }
}

function classOf(status: number): number {
  const digit = Math.trunc(status / 100);
  return digit >= 1 && digit < CLASSES ? digit : 0;
}
