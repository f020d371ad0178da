import { z } from 'zod';

/** Upper ends of the bars of the histogram, in milliseconds; the last bar has none. */
export const BAR_ENDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] as const;

/** All in milliseconds. */
const LatencySchema = z.object({
  count: z.int(),
  mean: z.number(),
  p50: z.number(),
  p90: z.number(),
  p95: z.number(),
  p99: z.number(),
  p999: z.number(),
  max: z.number(),
});
export type Latency = z.infer<typeof LatencySchema>;

const SecondSchema = z.object({
  /** The end, in seconds since the beginning. */
  at: z.number(),
  /** Answers and failures each second. */
  answers: z.number(),
  failures: z.number(),
  p50: z.number(),
  p99: z.number(),
});
export type Second = z.infer<typeof SecondSchema>;

/** What became of a run; also what `--report` writes and `--compare` reads. */
export const StressReportSchema = z.object({
  format: z.literal('heimdall-stress-1'),
  url: z.string(),
  method: z.string(),
  connections: z.int(),
  /** Requests each second that were asked for; null: as many as the connections could carry. */
  rate: z.number().nullable(),
  startedAt: z.string(),
  /** How long requests were sent, in seconds. */
  seconds: z.number(),
  wasInterrupted: z.boolean(),
  answers: z.int(),
  /** Answers each second. */
  throughput: z.number(),
  /** By status. */
  statuses: z.record(z.string(), z.int()),
  /** By kind: error codes, `timeout`, `closed before the answer`, `malformed answer`, `not sent`. */
  errors: z.record(z.string(), z.int()),
  /** From the moment at which a request was due; those that timed out or were never sent count with the time until then. */
  latency: LatencySchema,
  /** From the moment at which a request was really sent. */
  service: LatencySchema,
  /** Requests in each bar of `latency`, one more than BAR_ENDS. */
  bars: z.array(z.int()),
  /** By the value of a response header; null: none was asked for. */
  by: z
    .object({
      header: z.string(),
      values: z.record(z.string(), z.object({ answers: z.int(), latency: LatencySchema })),
    })
    .nullable(),
  timeline: z.array(SecondSchema),
  /** Part of the time that this tool's own thread was busy; near 1 it is the tool that was measured. */
  generatorBusy: z.number(),
});
export type StressReport = z.infer<typeof StressReportSchema>;
