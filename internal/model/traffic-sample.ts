import type { SparseCounts } from './sparse-counts.ts';

/** The time that one sample is about, in milliseconds; spans begin at whole multiples of it. */
export const SAMPLE_SPAN_MS = 15_000;
/** How long samples are kept, in milliseconds. */
export const SAMPLES_KEPT_MS = 15 * 60_000;

/** Requests to one service, as their clients saw them. */
export interface ServiceSample {
  readonly service: string;
  readonly ended: number;
  /** Those of them that failed. */
  readonly failed: number;
  /** At the end of the sample. */
  readonly waiting: number;
}

/** Attempts on one instance. */
export interface InstanceSample {
  readonly service: string;
  readonly instanceId: string;
  /** That ended. */
  readonly requests: number;
  /** Those of them that counted against it. */
  readonly failures: number;
  /** At the end of the sample. */
  readonly inFlight: number;
  /** Times to the response head. */
  readonly latencies: SparseCounts;
}

/** What happened at one load balancer for some time; services and instances of which nothing is to tell are left out. */
export interface TrafficSample {
  readonly proxyId: string;
  /** Epoch milliseconds, as the next. A sample grows: it takes the place of an earlier one with the same beginning. */
  readonly from: number;
  readonly until: number;
  readonly services: readonly ServiceSample[];
  readonly instances: readonly InstanceSample[];
}

/** Which span a sample belongs to: the number of those before it since 1970. */
export function spanOf(from: number): number {
  return Math.floor(from / SAMPLE_SPAN_MS);
}
