import { z } from 'zod';
import { duration, wholeNumber } from './units.ts';

const SECONDS_EXPECTED = 'expected whole seconds, such as "1s", "10s" or "1m"';
const CountSchema = wholeNumber(1, 1_000_000);

/** `ip` or `header:NAME`. A request without the header is keyed by its address. */
const ClientKeySchema = z.string().regex(/^(ip|header:[A-Za-z0-9_!#$%&'*+.^`|~-]+)$/, 'expected ip or header:NAME');

/** How many requests each client of a route may make: a token bucket. */
export const RateLimitSchema = z
  .strictObject({
    requests: CountSchema,
    /** The time that so many requests are for; whole seconds, as the fields that tell clients of it know no others. */
    per: duration().refine((milliseconds) => milliseconds % 1_000 === 0, SECONDS_EXPECTED),
    /** How many may come at once after a pause; default: `requests`. */
    burst: CountSchema.optional(),
    /** What makes a client. */
    key: ClientKeySchema.default('ip'),
  })
  .transform(({ burst, ...limit }) => ({ ...limit, burst: burst ?? limit.requests }));
export type RateLimit = z.infer<typeof RateLimitSchema>;
