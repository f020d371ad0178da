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

/** The intervals of a whole pool. What is compared with is found once for all of them, when it is first asked for. */
export class PoolIntervals {
  readonly #all: readonly Interval[];
  #rates: readonly number[] | null = null;
  #times: readonly number[] | null = null;
  #spread: { readonly mean: number; readonly sigma: number } | null = null;

  constructor(all: readonly Interval[]) {
    this.#all = all;
  }

  /** The median error rate of the others; null when nothing is known of them. @param rate - one of this pool. */
  rateBeside(rate: number): number | null {
    this.#rates ??= sorted(this.#all.filter(({ requests }) => requests >= LEAST_REQUESTS).map(errorRate));
    return medianBeside(this.#rates, rate);
  }

  /** The median of the others' times to an answer; null when nothing is known of them. @param ms - one of this pool. */
  typicalMsBeside(ms: number): number | null {
    this.#times ??= sorted(this.#all.filter(({ answers }) => answers >= LEAST_REQUESTS).map((each) => each.typicalMs));
    return medianBeside(this.#times, ms);
  }

  /** Of the error rates of all; infinite where they are too few. */
  get spread(): { readonly mean: number; readonly sigma: number } {
    this.#spread ??= spreadOf(this.#all.filter(({ requests }) => requests >= SIGMA_REQUESTS).map(errorRate));
    return this.#spread;
  }
}

/**
 * Whether an upstream fails clearly more requests than the others.
 * - Any pool: above the median of the others by `excess`, and by four standard errors of a rate that is measured on so few.
 * - At least 5 upstreams with 100 requests each: also below `mean − 1.9·σ` of the success rates (Envoy), by `excess`, too:
 *   where all are alike, chance alone brings somebody below 1.9 σ.
 * @param pool - its own interval among them.
 * @param excess - a share of the requests.
 * @returns the cause in words; null when it does not.
 */
export function errorOutlier(own: Interval, pool: PoolIntervals, excess: number): string | null {
  if (own.requests < LEAST_REQUESTS || own.failures < LEAST_FAILURES) return null; // most end here
  const rate = errorRate(own);
  const usual = pool.rateBeside(rate);
  if (usual === null) return null;
  const limit = Math.min(limitByMedian(own, usual, excess), limitBySigma(own, pool, excess));
  return rate > limit ? `${percent(rate)} errors, the others ${percent(usual)}` : null;
}

/**
 * Whether an upstream takes clearly longer than the others.
 * @param pool - its own interval among them.
 * @param factor - how many times the median of the others it may take.
 * @returns the cause in words; null when it does not.
 */
export function latencyOutlier(own: Interval, pool: PoolIntervals, factor: number): string | null {
  if (own.answers < LEAST_REQUESTS || own.typicalMs <= LEAST_DELAY_MS) return null; // most end here
  const usual = pool.typicalMsBeside(own.typicalMs);
  if (usual === null || own.typicalMs <= usual * factor || own.typicalMs <= usual + LEAST_DELAY_MS) return null;
  return `answers take ${inWords(own.typicalMs)}, the others ${inWords(usual)}`;
}

/**
 * The median of what remains without one of the values. The upper of two in the middle: of three that differ, two must
 * not both be worse than the others.
 */
function medianBeside(values: readonly number[], own: number): number | null {
  const middle = (values.length - 1) >> 1;
  const median = values[middle];
  // where a value of its own stands, or one equal to it, at or before the middle, the others have moved up
  return (median !== undefined && own <= median ? values[middle + 1] : median) ?? null;
}

function sorted(values: readonly number[]): readonly number[] {
  return values.toSorted((a, b) => a - b);
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

function limitBySigma({ requests }: Interval, { spread }: PoolIntervals, excess: number): number {
  if (requests < SIGMA_REQUESTS) return Number.POSITIVE_INFINITY;
  return spread.mean + Math.max(SIGMA_FACTOR * spread.sigma, excess);
}

function spreadOf(rates: readonly number[]): { readonly mean: number; readonly sigma: number } {
  if (rates.length < SIGMA_POOL) return { mean: Number.POSITIVE_INFINITY, sigma: 0 };
  const mean = average(rates);
  return { mean, sigma: Math.sqrt(average(rates.map((rate) => (rate - mean) ** 2))) };
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
