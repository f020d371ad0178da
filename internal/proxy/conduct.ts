import type { Waiters } from '../health/hang.ts';
import type { Interval } from '../health/outliers.ts';
import type { Observed } from './observations.ts';
import type { Trial } from './trial.ts';
import type { Upstream } from './upstream.ts';

interface Counts {
  readonly requests: number;
  readonly failures: number;
  readonly answers: number;
  readonly logMs: number;
}

/** What the main thread remembers of one upstream, to judge it by. */
export class Conduct {
  readonly upstream: Upstream;
  /** Ejections in a row; one less for each interval without fault. */
  times: number;
  /** Its checks have failed since it was ejected. */
  wasDown = false;
  trial: Trial | null = null;
  #observed: Observed;
  #before: Counts;
  /** How often it was picked before the last look, if nothing was in flight then. */
  #restedAt: number | null = null;

  constructor(upstream: Upstream) {
    this.upstream = upstream;
    this.times = upstream.ejection?.times ?? 0; // of an earlier load balancer
    this.#observed = upstream.observed;
    this.#before = this.#counts;
  }

  /** As of the last look. */
  get observed(): Observed {
    return this.#observed;
  }

  /** @returns false when nothing has happened since the last look: then what was seen is still all there is. */
  look(): boolean {
    const { picks, inFlight } = this.upstream; // before the rest: what begins after this is seen by the next look
    if (picks === this.#restedAt && inFlight === 0) return false;
    this.#restedAt = inFlight === 0 ? picks : null;
    this.#observed = this.upstream.observed;
    return true;
  }

  beginInterval(): void {
    this.#before = this.#counts;
  }

  /** Since the interval began. */
  get interval(): Interval {
    const { requests, failures, answers, logMs } = this.#counts;
    const answered = answers - this.#before.answers;
    return {
      requests: requests - this.#before.requests,
      failures: failures - this.#before.failures,
      answers: answered,
      typicalMs: answered === 0 ? Number.NaN : Math.exp((logMs - this.#before.logMs) / answered),
    };
  }

  /** @param now - in milliseconds of the monotonic clock. */
  waiters(now: number): Waiters {
    const { waiting, sentAt } = this.#observed;
    return { count: waiting, ageMs: waiting > 0 ? now - sentAt / waiting : 0 };
  }

  get #counts(): Counts {
    const { picks, inFlight, failures } = this.upstream;
    const { answers, logMs, outdated } = this.#observed;
    return { requests: picks - inFlight - outdated, failures: failures - outdated, answers, logMs };
  }
}
