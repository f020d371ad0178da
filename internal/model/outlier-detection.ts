import { z } from 'zod';
import { duration, wholeNumber } from './units.ts';

/** How instances are judged by the requests that they get, beside their health checks. Null: not by this. */
export const OutlierDetectionSchema = z
  .strictObject({
    enabled: z.boolean().default(true),
    /** Gateway errors in a row, within one `interval`, after which an instance is ejected. */
    consecutiveErrors: wholeNumber(1, 1_000).nullable().default(5),
    /** What error rates and latencies are taken over. */
    interval: duration().prefault('10s'),
    /** By how much the share of failed requests may be above that of the others. */
    errorRate: z.number().gt(0).max(1).nullable().default(0.1),
    /** How many times the typical latency of the others an instance may take. */
    latencyFactor: z.number().min(1.5).max(1_000).nullable().default(5),
    /** How old requests without an answer must be on average, at least, before their instance counts as hung. */
    hangAfter: duration().nullable().prefault('5s'),
    /** How long the first ejection lasts; each further one lasts so much longer. */
    ejectionTime: duration().prefault('10s'),
    maxEjectionTime: duration().prefault('5m'),
    /** The largest share of the instances that may be ejected at a time; null: by the size of the pool. */
    maxEjected: z.number().min(0).max(1).nullable().default(null),
  })
  .refine(({ ejectionTime, maxEjectionTime }) => ejectionTime <= maxEjectionTime, {
    path: ['maxEjectionTime'],
    error: 'must not be below ejectionTime',
  });
export type OutlierDetection = z.infer<typeof OutlierDetectionSchema>;
