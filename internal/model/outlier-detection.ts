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

/** What the requests of clients have cost an instance: none, for some time, or all but a few that try it out. */
export const STANDINGS = ['in', 'ejected', 'on-trial'] as const;
export type Standing = (typeof STANDINGS)[number];

/** Why and until when an instance gets no requests, or only some that try it out. */
export interface Ejection {
  /** In words: `6 gateway errors in a row`. */
  readonly cause: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** From then on it is on trial; epoch milliseconds. */
  readonly until: number;
  /** How many ejections it is in a row, from 1; so many times longer it lasts. */
  readonly times: number;
}

/** An ejection as it is kept in the registry, so that it survives a restart of the load balancer. */
export interface EjectionRecord extends Ejection {
  readonly instanceId: string;
  /** `incarnationOf` the instance: an ejection never outlives the process that it is about. */
  readonly incarnation: string;
}
