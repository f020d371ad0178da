import { BUCKETS } from '../model/latency-buckets.ts';
import type { Connections } from './connection-counts.ts';
import type { Upstream } from './upstream.ts';

/** What upstreams have done that are gone, so that the sums of a pool only grow. */
export class PastWork {
  readonly latencies = new Float64Array(BUCKETS);
  #picks = 0;
  #failures = 0;
  #attempts = 0;
  #reuses = 0;

  /** Of the connections, what only grows. */
  get connections(): Pick<Connections, 'attempts' | 'reuses'> {
    return { attempts: this.#attempts, reuses: this.#reuses };
  }

  get picks(): number {
    return this.#picks;
  }

  get failures(): number {
    return this.#failures;
  }

  /** To be called once nobody picks it any more. */
  add({ picks, failures, connections, totalLatencies }: Upstream): void {
    this.#picks += picks;
    this.#failures += failures;
    this.#attempts += connections.attempts;
    this.#reuses += connections.reuses;
    for (const [bucket, count] of totalLatencies.entries()) {
      this.latencies[bucket] = (this.latencies[bucket] ?? 0) + count;
    }
  }
}
