import { inWords } from './outliers.ts';

/** What waits for a response head on one upstream; requests that are still being sent do not count. */
export interface Waiters {
  readonly count: number;
  /** Average age since the request was sent, in milliseconds; 0 without any. */
  readonly ageMs: number;
}

/** The other upstreams of the pool. */
interface Others {
  readonly count: number;
  /** Those on which requests wait for longer than the limit. */
  readonly late: number;
}

/** One or two slow requests, such as a report that nobody has asked for today, are no sign. */
const LEAST_WAITING = 3;
/** So many times longer than any answer has taken lately. */
const FACTOR = 3;
/** How long the slowest answer is remembered: at least this, at most twice. */
const MEMORY_MS = 300_000;
/** How many times `hangAfter` a pool is watched before it is known how long its answers take: long polls have come back. */
const WARM_UP = 6;

/** How long the answers of a pool take at most, as far as one remembers. */
export class UsualWait {
  #since: number | null = null;
  #turnedAt = 0;
  #before = 0;
  #present = 0;

  /** @param slowestMs - of the answers since the last call; 0 without any. @param now - in milliseconds of any clock. */
  learn(slowestMs: number, now: number): void {
    if (this.#since === null && slowestMs > 0) this.#since = now;
    if (now - this.#turnedAt >= MEMORY_MS) {
      this.#before = this.#present;
      this.#present = 0;
      this.#turnedAt = now;
    }
    this.#present = Math.max(this.#present, slowestMs);
  }

  /** What requests may wait on average before they count as hung, in milliseconds; infinite while too little is known. */
  limit(hangAfterMs: number, now: number): number {
    if (this.#since === null || now - this.#since < WARM_UP * hangAfterMs) return Number.POSITIVE_INFINITY;
    return Math.max(hangAfterMs, FACTOR * this.slowestMs);
  }

  get slowestMs(): number {
    return Math.max(this.#before, this.#present);
  }
}

/**
 * Whether an upstream hangs: the requests that wait on it are on average older than any answer of the pool has taken
 * lately, several times so. A request that will be answered is never older than its answer takes, so that this says
 * nothing about long polls, streams and uploads as long as there are such. Where most others wait as long, somebody behind
 * all of them hangs, and it would help nobody to eject one.
 * @param limitMs - see `UsualWait`.
 * @returns the cause in words; null when it does not.
 */
export function hangs(own: Waiters, others: Others, limitMs: number, slowestMs: number): string | null {
  if (own.count < LEAST_WAITING || own.ageMs <= limitMs || others.count === 0) return null;
  if (others.late > others.count / 2) return null;
  return `its ${own.count} requests without an answer are ${inWords(own.ageMs)} old on average, the slowest answer took ${inWords(slowestMs)}`;
}
