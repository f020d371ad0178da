import { z } from 'zod';
import { duration, size, wholeNumber } from './units.ts';

/** How the instances of a service are replaced. */
export const RolloutSchema = z.strictObject({
  /** So many more instances than wanted may run meanwhile. */
  maxSurge: wholeNumber(0, 1_000).default(1),
  /** So many fewer than wanted may be available meanwhile. */
  maxUnavailable: wholeNumber(0, 1_000).default(0),
  /** How long a new instance must have been ready before an old one goes. */
  minHealthy: duration().prefault('5s'),
  /** By how much the share of failed requests of the new instances may be above that of the old ones. */
  maxErrorRate: z.number().min(0).max(1).default(0.05),
});

/** The number of instances follows the load, the clock, or both. */
export const AutoscaleSchema = z
  .strictObject({
    min: wholeNumber(0, 1_000).default(1),
    max: wholeNumber(1, 1_000),
    /** Requests in flight that one instance is to have. */
    inFlightPerInstance: z.number().positive().optional(),
    /** Share of a core that one instance is to use, in percent. */
    cpu: z.number().positive().optional(),
    /** From each time on at least so many instances, until the next one. */
    schedule: z.array(z.strictObject({ cron: z.string(), instances: wholeNumber(0, 1_000) })).default([]),
    /** More instances are started when the load has asked for them for so long. */
    scaleUpAfter: duration().prefault('3s'),
    /** Instances go when the load has needed none of them for so long. */
    scaleDownAfter: duration().prefault('5m'),
    /** Between two changes of the number. */
    cooldown: duration().prefault('15s'),
  })
  .refine(({ min, max }) => min <= max, { path: ['min'], error: 'must not be above max' });
export type Autoscale = z.infer<typeof AutoscaleSchema>;

/** Requests that are held while a service is paused, or has no instance yet. */
export const HoldSchema = z.strictObject({
  /** How many may wait, over all threads; more are answered with 503. */
  limit: wholeNumber(0, 1_000_000).default(1_000),
  /** How long one may wait; then 503. */
  timeout: duration().prefault('30s'),
  /** An HTML file that browsers are shown then, relative to the folder of the configuration file. */
  page: z.string().min(1).optional(),
});

export const LimitsOfInstanceSchema = z.strictObject({
  /** Resident memory of all processes of the instance together; one that has more is replaced. */
  memory: size().nullable().default(null),
});
