import { z } from 'zod';
import { duration, wholeNumber } from './units.ts';

/** How many requests an instance is given at a time, as found out from its latencies. */
export const AdaptiveConcurrencySchema = z
  .strictObject({
    /** Never fewer, never more. */
    min: wholeNumber(1, 1_000_000).default(1),
    max: wholeNumber(1, 1_000_000).default(1_000),
    /** How many times as long as without a queue answers may take before the limit shrinks. */
    tolerance: z.number().min(1.05).max(100).default(1.25),
  })
  .refine(({ min, max }) => min <= max, { path: ['max'], error: 'must not be below min' });
export type AdaptiveConcurrency = z.infer<typeof AdaptiveConcurrencySchema>;

/** Requests that wait while every instance has as many as it may. */
export const QueueSchema = z.strictObject({
  /** How many may wait, over all threads; more are answered with 503. */
  limit: wholeNumber(0, 1_000_000).default(1_000),
  /** How long one may wait; then 503. */
  timeout: duration().prefault('1s'),
  /** Whether 503 comes at once when the wait would be in vain, and soon while the queue stands. */
  shed: z.boolean().default(true),
});
