import { BUCKETS, quantile, total } from '../../model/latency-buckets.ts';
import type { Traffic } from '../../model/live.ts';
import { addSparse, type SparseCounts } from '../../model/sparse-counts.ts';
import { threeDigits } from './three-digits.ts';

/** Requests of one service or attempts on one instance, added up over load balancers and time. */
export class TrafficSum {
  #rps = 0;
  #ended = 0;
  #failed = 0;
  #latencies: Float64Array | null = null;

  /** @param overMs - the time in which they ended, in milliseconds. */
  count(ended: number, failed: number, overMs: number): void {
    this.#ended += ended;
    this.#failed += failed;
    this.#rps += (1_000 * ended) / overMs;
  }

  took(latencies: SparseCounts): void {
    this.#latencies ??= new Float64Array(BUCKETS);
    addSparse(this.#latencies, latencies);
  }

  traffic(inFlight: number): Traffic {
    const counts = this.#latencies;
    const isAnswered = counts !== null && total(counts) > 0;
    const at = (q: number) => (isAnswered ? threeDigits(quantile(counts, q)) : null);
    return {
      rps: threeDigits(this.#rps),
      errorRate: this.#ended === 0 ? null : threeDigits(this.#failed / this.#ended),
      p50: at(0.5),
      p95: at(0.95),
      p99: at(0.99),
      inFlight,
    };
  }
}
