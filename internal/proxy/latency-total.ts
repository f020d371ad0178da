import { BUCKETS } from '../model/latency-buckets.ts';
import { since } from './latency-histograms.ts';

/** Adds up what an upstream's latency counts have gained between readings, so that their overflow at 2^32 does not show. */
export class LatencyTotal {
  readonly #sums = new Float64Array(BUCKETS);
  #before = new Uint32Array(BUCKETS);

  /** @returns what was counted in all; the same array every time. */
  update(now: Uint32Array): Float64Array {
    for (const [bucket, count] of since(this.#before, now).entries()) {
      if (count > 0) this.#sums[bucket] = (this.#sums[bucket] ?? 0) + count;
    }
    this.#before = Uint32Array.from(now);
    return this.#sums;
  }
}
