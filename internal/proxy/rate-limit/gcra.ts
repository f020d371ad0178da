import type { RateLimit } from '../../model/rate-limit.ts';

/**
 * A limit as the algorithm needs it; milliseconds.
 *
 * The generic cell rate algorithm (ITU-T I.371, Annex A), read as a leaky bucket: each request pours `interval` into the
 * client's bucket, time drains it, and a request that would make it overflow is refused. That is a token bucket of
 * `burst` tokens, but all that there is to keep of a client is one time: when its bucket will be empty.
 */
export interface Rule {
  /** Between two requests of a client that is always at its limit. */
  readonly interval: number;
  /** What the bucket holds. */
  readonly capacity: number;
}

/** What a limit says to one request. */
export interface Verdict {
  readonly granted: boolean;
  /** How many more requests would be granted at once. */
  readonly remaining: number;
  /** Milliseconds until it is one more than that. */
  readonly waitMs: number;
}

/** Of an interval: so much too early counts as in time, because sums of times are rounded. */
const ROUNDING = 1e-3;

export function ruleOf({ requests, per, burst }: RateLimit): Rule {
  const interval = per / requests;
  return { interval, capacity: burst * interval };
}

/** How full the bucket is with one more request. @param emptyAt - when it will be empty, or was, without that one. */
export function levelWith(emptyAt: number, now: number, { interval }: Rule): number {
  return Math.max(emptyAt - now, 0) + interval;
}

/** @param level - with the request in question, of which nothing is poured when it is refused. */
export function isGranted(level: number, { interval, capacity }: Rule): boolean {
  return level <= capacity + ROUNDING * interval;
}

/** @param level - as above. */
export function verdictOf(level: number, rule: Rule): Verdict {
  const { interval, capacity } = rule;
  if (!isGranted(level, rule)) return { granted: false, remaining: 0, waitMs: level - capacity };
  const remaining = Math.max(Math.floor((capacity - level) / interval + ROUNDING), 0);
  return { granted: true, remaining, waitMs: level - capacity + (remaining + 1) * interval };
}
