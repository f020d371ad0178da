import type { AdaptiveConcurrency } from '../model/overload.ts';

/** What is known of the requests on one upstream. Counts are sums since it has its place. */
export interface Traffic {
  /** Response heads that are no failures. */
  readonly answers: number;
  /** Sum of the natural logarithms of the milliseconds to these. */
  readonly logMs: number;
  readonly gatewayErrors: number;
  /** Requests that have no response head yet, at this moment. */
  readonly inUse: number;
  /** Whether the limit has kept a request away since the last look. */
  readonly wasFull: boolean;
}

/** Netflix's `initialLimit`. Until the first congestion the limit doubles, as the window of TCP in its slow start. */
export const INITIAL_LIMIT = 20;

/** What holds for an upstream at which nobody has looked yet. */
export function initialLimit({ min, max }: AdaptiveConcurrency): number {
  return Math.min(Math.max(INITIAL_LIMIT, min), max);
}

/** Of how many answers a window consists: of as many as the limit, about one round trip, within these. */
const WINDOW_ANSWERS = { least: 5, most: 25 };
/** What one window leaves of the limit at least, for its latency. */
const LEAST_GRADIENT = 0.5;
/** Of what is in use, in a window in which the limit kept nobody away. */
const IN_USE_SHARE = 0.9;
/** At this share of the limit no queue is left that the limit had let grow. */
const QUIET_SHARE = 1 / 3;
/** How long the latency without a queue may go unmeasured while the limit is in force; Envoy's `min_rtt_calc_params`: 60 s. */
const REMEASURE_MS = 30_000;
/** The first measurement may have been taken in the middle of an overload. */
const FIRST_REMEASURE_MS = 3_000;
/** When the limit has been halved since, it may be the upstream that has changed. Not more often than this. */
const LEAST_REMEASURE_MS = 2_000;
/** Measuring takes throughput: not more than one part in so many of the time. */
const REMEASURE_SHARE = 20;
/** Envoy's `request_count`; fewer when they take too long, but not fewer than this. */
const MEASURED_ANSWERS = { least: 10, most: 50 };
/** In round trips: how long is measured, and when it is given up. */
const MEASURE_TRIPS = { usual: 10, most: 50 };
const MEASURE_MS = { usual: 500, most: 3_000 };
/** A measurement that differs by more than this factor is believed at once, others by half. */
const SURPRISE = 1.5;
/** The share of the throughput from which on it counts as the same. */
const SAME_RATE = 0.9;
/** How much of it the last window makes up. */
const RATE_SHARE = 0.3;

type Phase = 'growing' | 'steady' | 'draining' | 'measuring';

/**
 * Finds out how many requests at a time an upstream can work on without a queue of its own: the gradient of Envoy's adaptive concurrency
 * filter and Netflix's concurrency-limits, `limit · min(1, tolerance · unloaded / latency) + √limit / 2`, per window of answers.
 * They allow for twice that queue; with it an upstream that slows down with each request more loses a tenth of its throughput.
 * Gateway errors cut as in DCTCP (Alizadeh et al., 2010): by half their share.
 *
 * The latency without load is that of windows in which a third of the limit or less was in use. While there are none, because the limit is
 * in force all the time, the limit itself is cut to a third now and then, as BBR does with its window (Cardwell et al., 2016): a mean
 * over a long time, as in Netflix's Gradient2, takes over the latency of an overload that lasts, and the limit with it.
 */
export class ConcurrencyLimit {
  /** In force from the next look on. */
  settings: AdaptiveConcurrency;
  readonly #random: () => number;
  #phase: Phase = 'growing';
  #limit: number;
  /** Milliseconds that an answer takes without a queue, geometric mean; NaN: not known yet. */
  #unloadedMs = Number.NaN;
  /** Of the last window. */
  #latencyMs = 0;
  /** Answers per millisecond while the limit was in force. */
  #rate = 0;
  /** The present window. */
  #since: number;
  #before: Traffic | null = null;
  #peak = 0;
  #full = false;
  /** When and under which limit the latency without load was last learned, and when it is due again. */
  #limitThen: number;
  #learnedAt: number;
  #dueAt: number;
  #measuringSince = 0;

  /** @param random - in [0, 1), as `Math.random`: upstreams are not to be measured all at once. */
  constructor(settings: AdaptiveConcurrency, now: number, random: () => number) {
    this.settings = settings;
    this.#random = random;
    this.#limit = initialLimit(settings);
    this.#limitThen = this.#limit;
    this.#since = now;
    this.#learnedAt = now;
    this.#dueAt = now + FIRST_REMEASURE_MS;
  }

  /** Requests without a response head that the upstream may have. */
  get value(): number {
    return this.#isMeasuring ? this.#quiet : Math.round(this.#within(this.#limit));
  }

  /** Milliseconds that an answer takes without a queue; NaN: not known yet. */
  get unloadedMs(): number {
    return this.#unloadedMs;
  }

  /** To be called several times a second. @param now - in milliseconds of a monotonic clock. */
  look(traffic: Traffic, now: number): void {
    this.#before ??= traffic;
    this.#peak = Math.max(this.#peak, traffic.inUse);
    this.#full ||= traffic.wasFull;
    if (this.#isMeasuring) this.#measure(traffic, now);
    else this.#steer(traffic, this.#before, now);
  }

  #steer(traffic: Traffic, before: Traffic, now: number): void {
    const answers = traffic.answers - before.answers;
    const errors = traffic.gatewayErrors - before.gatewayErrors;
    const { least, most } = WINDOW_ANSWERS;
    const isLongEnough = now - this.#since >= this.#latencyMs; // what a change of the limit has brought is seen no sooner
    if (answers + errors < Math.min(Math.max(this.#limit, least), most) || !isLongEnough) return;
    if (answers > 0) this.#latencyMs = meanBetween(before, traffic);
    if (Number.isNaN(this.#unloadedMs)) this.#unloadedMs = answers > 0 ? this.#latencyMs : Number.NaN;
    const rate = answers / (now - this.#since);
    if (this.#full) this.#rate += (this.#rate === 0 ? 1 : RATE_SHARE) * (rate - this.#rate);
    const isQuiet = !this.#full && this.#peak <= this.#quiet;
    if (isQuiet && answers > 0) {
      this.#learn(this.#latencyMs, answers / (2 * MEASURED_ANSWERS.most), now);
      this.#dueAt = Math.max(this.#dueAt, now + REMEASURE_MS * (0.75 + this.#random() / 2));
    }
    this.#adjust(errors / (answers + errors));
    const isDue =
      now >= this.#dueAt || (this.#limit <= this.#limitThen / 2 && now - this.#learnedAt >= LEAST_REMEASURE_MS);
    if (this.#full && isDue) this.#startMeasuring(now);
    this.#beginWindow(traffic, now);
  }

  /** @param errorShare - of what came back in the window. */
  #adjust(errorShare: number): void {
    const unloaded = Number.isNaN(this.#unloadedMs) ? this.#latencyMs : this.#unloadedMs;
    const gradient = (this.settings.tolerance * unloaded) / this.#latencyMs;
    const cut = Math.min(Math.max(gradient || 1, LEAST_GRADIENT), 1) * (1 - errorShare / 2);
    if (cut < 1) this.#phase = 'steady';
    const next = this.#phase === 'growing' ? 2 * this.#limit : cut * this.#limit + Math.sqrt(this.#limit) / 2;
    // Where the limit keeps nobody away, there is no need of a higher one; a lower one begins with a little less than what is in use.
    this.#limit = this.#within(this.#full ? next : Math.min(this.#limit, Math.max(next, IN_USE_SHARE * this.#peak)));
  }

  #startMeasuring(now: number): void {
    this.#phase = 'draining';
    this.#measuringSince = now;
  }

  /** First the queue has to go, and those who have been in it; then the answers tell what they take without one. */
  #measure(traffic: Traffic, now: number): void {
    const before = this.#before ?? traffic;
    const answers = traffic.answers - before.answers;
    const elapsed = now - this.#since;
    const unloaded = this.#unloadedMs || 0;
    if (this.#phase === 'draining') {
      if (traffic.inUse > this.#quiet) this.#since = now;
      else if (answers >= this.#quiet) this.#phase = 'measuring';
      if (traffic.inUse > this.#quiet || this.#phase === 'measuring') this.#beginWindow(traffic, now);
    } else if (
      answers >= MEASURED_ANSWERS.most ||
      (answers >= MEASURED_ANSWERS.least && elapsed >= Math.max(MEASURE_MS.usual, MEASURE_TRIPS.usual * unloaded))
    ) {
      this.#takeMeasure(traffic, before, now);
      return;
    }
    if (now - this.#measuringSince >= Math.max(MEASURE_MS.most, MEASURE_TRIPS.most * unloaded)) {
      this.#endMeasuring(traffic, null, now);
    }
  }

  /** Where as many answers came as under the whole limit, there still was a queue: the limit was that much too high. */
  #takeMeasure(traffic: Traffic, before: Traffic, now: number): void {
    const rate = (traffic.answers - before.answers) / (now - this.#since);
    const quiet = this.#quiet;
    if (rate < SAME_RATE * this.#rate || quiet > this.#limit / 2) {
      this.#endMeasuring(traffic, meanBetween(before, traffic), now);
      return;
    }
    this.#limit = quiet;
    this.#startMeasuring(now);
    this.#beginWindow(traffic, now);
  }

  /** @param measuredMs - null: too few answers came. */
  #endMeasuring(traffic: Traffic, measuredMs: number | null, now: number): void {
    const before = this.#unloadedMs;
    this.#limitThen = this.#limit;
    this.#learnedAt = now;
    if (measuredMs !== null) this.#learn(measuredMs, 0.5, now);
    const every = Math.max(REMEASURE_MS, REMEASURE_SHARE * (now - this.#measuringSince));
    this.#dueAt = now + every * (0.75 + this.#random() / 2);
    this.#phase = this.#unloadedMs > SURPRISE * before ? 'growing' : 'steady';
    this.#beginWindow(traffic, now);
  }

  /** @param trust - the share of the difference that is taken over. */
  #learn(measuredMs: number, trust: number, now: number): void {
    const difference = Math.log(measuredMs / this.#unloadedMs);
    const isSurprise = trust >= 0.5 && Math.abs(difference) > Math.log(SURPRISE);
    this.#unloadedMs *= Math.exp(isSurprise ? difference : trust * difference);
    this.#limitThen = this.#limit;
    this.#learnedAt = now;
  }

  #beginWindow(traffic: Traffic, now: number): void {
    this.#before = traffic;
    this.#since = now;
    this.#peak = traffic.inUse;
    this.#full = false;
  }

  get #isMeasuring(): boolean {
    return this.#phase === 'draining' || this.#phase === 'measuring';
  }

  get #quiet(): number {
    return Math.max(Math.floor(this.#limit * QUIET_SHARE), this.settings.min, 1);
  }

  #within(limit: number): number {
    return Math.min(Math.max(limit, this.settings.min, 1), this.settings.max);
  }
}

/** Geometric mean of the milliseconds to the answers between two looks. */
function meanBetween(before: Traffic, after: Traffic): number {
  return Math.exp((after.logMs - before.logMs) / (after.answers - before.answers));
}
