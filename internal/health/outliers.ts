/** What came of the requests to one upstream within one interval. */
export interface Interval {
  /** That ended. */
  readonly requests: number;
  /** How many of them count against the upstream: broken connections, timeouts, and statuses that say "I am broken". */
  readonly failures: number;
  /** Response heads that say nothing of the kind. */
  readonly answers: number;
  /** Geometric mean of the time to these, in milliseconds; NaN without any. One slow request among many hardly moves it. */
  readonly typicalMs: number;
}

/** Fewer requests, or answers, say nothing about a rate. */
const LEAST_REQUESTS = 20;
const LEAST_FAILURES = 5;
/** Envoy's `success_rate_minimum_hosts`, `success_rate_request_volume` and `success_rate_stdev_factor`. */
const SIGMA_POOL = 5;
const SIGMA_REQUESTS = 100;
const SIGMA_FACTOR = 1.9;
/** So many standard errors above the median a rate must be: with thousands of looks a day two are passed by chance. */
const STANDARD_ERRORS = 4;
/** An upstream that is slower by less than this many milliseconds is let be, whatever the factor. */
const LEAST_DELAY_MS = 250;

/**
 * Whether an upstream fails clearly more requests than the others.
 * - Any pool: above the median of the others by `excess`, and by four standard errors of a rate that is measured on so few.
 * - At least 5 upstreams with 100 requests each: also below `mean − 1.9·σ` of the success rates (Envoy), by `excess`, too:
 *   where all are alike, chance alone brings somebody below 1.9 σ.
 * @param excess - a share of the requests.
 * @returns the cause in words; null when it does not.
 */
export function errorOutlier(own: Interval, others: readonly Interval[], excess: number): string | null {
  if (own.requests < LEAST_REQUESTS || own.failures < LEAST_FAILURES) return null;
  const known = others.filter(({ requests }) => requests >= LEAST_REQUESTS);
  if (known.length === 0) return null;
  const rate = errorRate(own);
  const usual = median(known.map(errorRate));
  const limit = Math.min(limitByMedian(own, usual, excess), limitBySigma(own, others, excess));
  return rate > limit ? `${percent(rate)} errors, the others ${percent(usual)}` : null;
}

/**
 * Whether an upstream takes clearly longer than the others.
 * @param factor - how many times the median of the others it may take.
 * @returns the cause in words; null when it does not.
 */
export function latencyOutlier(own: Interval, others: readonly Interval[], factor: number): string | null {
  if (own.answers < LEAST_REQUESTS || own.typicalMs <= LEAST_DELAY_MS) return null; // most end here, before any median
  const known = others.filter(({ answers }) => answers >= LEAST_REQUESTS);
  if (known.length === 0) return null;
  const usual = median(known.map(({ typicalMs }) => typicalMs));
  if (own.typicalMs <= usual * factor || own.typicalMs <= usual + LEAST_DELAY_MS) return null;
  return `answers take ${inWords(own.typicalMs)}, the others ${inWords(usual)}`;
}

/** The upper of two in the middle: of three that differ, two must not both be worse than the others. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** `40 ms`, `1.9 s`. */
export function inWords(milliseconds: number): string {
  if (milliseconds < 10) return `${Math.round(milliseconds * 10) / 10} ms`;
  return milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${Math.round(milliseconds / 100) / 10} s`;
}

function limitByMedian({ requests }: Interval, usual: number, excess: number): number {
  const assumed = Math.max(usual, 1 / requests);
  return usual + excess + STANDARD_ERRORS * Math.sqrt((assumed * (1 - assumed)) / requests);
}

function limitBySigma(own: Interval, others: readonly Interval[], excess: number): number {
  const rates = [own, ...others].filter(({ requests }) => requests >= SIGMA_REQUESTS).map(errorRate);
  if (rates.length < SIGMA_POOL || own.requests < SIGMA_REQUESTS) return Number.POSITIVE_INFINITY;
  const mean = average(rates);
  const sigma = Math.sqrt(average(rates.map((rate) => (rate - mean) ** 2)));
  return mean + Math.max(SIGMA_FACTOR * sigma, excess);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function errorRate({ requests, failures }: Interval): number {
  return Math.min(failures / requests, 1);
}

function percent(share: number): string {
  const value = share * 100;
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} %`;
}
