import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Latency } from './report.ts';

/** An hour, in microseconds: longer times count as that. */
const LONGEST_US = 3_600_000_000;

/** Times to three digits (an HDR histogram of microseconds). */
export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: LONGEST_US, figures: 3 });

  record(milliseconds: number): void {
    this.#histogram.record(Math.min(LONGEST_US, Math.max(1, Math.round(1_000 * milliseconds))));
  }

  reset(): void {
    this.#histogram.reset();
  }

  /** Zeros when there are none. */
  summary(): Latency {
    const { count, mean, max } = this.#histogram;
    const at = (percentile: number) => (count === 0 ? 0 : this.#histogram.percentile(percentile) / 1_000);
    return {
      count,
      mean: count === 0 ? 0 : Math.round(mean) / 1_000,
      p50: at(50),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      p999: at(99.9),
      max: count === 0 ? 0 : max / 1_000,
    };
  }
}
