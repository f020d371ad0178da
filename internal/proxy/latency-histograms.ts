import { BUCKETS, bucketOf } from '../model/latency-buckets.ts';
import type { SharedSize } from './shared-state.ts';

/**
 * How long each upstream took to answer (or the requests to each pool took), counted in buckets, in memory that all threads share. Each thread has a row of its
 * own for each upstream: nothing is lost and nothing waits. Counts only grow, and begin anew at 2^32: what a time has seen
 * is the difference of two readings, see `since`.
 */
export class LatencyHistograms {
  readonly #upstreams: number;
  /** Where the rows of this thread begin. */
  readonly #own: number;
  /** `(thread · upstreams + slot) · BUCKETS + bucket`. */
  readonly #counts: Uint32Array;

  /** @param integers - gives out columns of the memory. */
  constructor({ upstreams, threads }: SharedSize, thread: number, integers: (length: number) => Int32Array) {
    const { buffer, byteOffset, length } = integers((threads + 1) * upstreams * BUCKETS);
    this.#upstreams = upstreams;
    this.#own = thread * upstreams;
    this.#counts = new Uint32Array(buffer, byteOffset, length);
  }

  /** How many integers the column takes. */
  static size({ upstreams, threads }: SharedSize): number {
    return (threads + 1) * upstreams * BUCKETS;
  }

  record(slot: number, milliseconds: number): void {
    const at = (this.#own + slot) * BUCKETS + bucketOf(milliseconds);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** Of all threads together since the slot was cleared; for the main thread. */
  read(slot: number): Uint32Array {
    const sums = new Uint32Array(BUCKETS);
    for (let row = slot; row * BUCKETS < this.#counts.length; row += this.#upstreams) {
      const from = row * BUCKETS;
      for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
        sums[bucket] = (sums[bucket] ?? 0) + (this.#counts[from + bucket] ?? 0);
      }
    }
    return sums;
  }

  clear(slot: number): void {
    for (let row = slot; row * BUCKETS < this.#counts.length; row += this.#upstreams) {
      this.#counts.fill(0, row * BUCKETS, (row + 1) * BUCKETS);
    }
  }
}

/** Adds what was counted between two readings to the sums, without an array in between. */
export function addSince(sums: Float64Array, before: Uint32Array, now: Uint32Array): void {
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    const count = ((now[bucket] ?? 0) - (before[bucket] ?? 0)) >>> 0; // as `since`: an overflow does no harm
    if (count > 0) sums[bucket] = (sums[bucket] ?? 0) + count;
  }
}

/** What was counted between two readings; an overflow in between does no harm. */
export function since(before: Uint32Array, now: Uint32Array): Uint32Array {
  return now.map((count, bucket) => count - (before[bucket] ?? 0));
}
