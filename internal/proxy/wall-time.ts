/** How long the difference of the clocks is taken to stay the same, in milliseconds. */
const RECENT_MS = 1_000;

/** Tells when something was by the clock on the wall. To ask the system each time costs as much as a tenth of a line of the access log. */
export class WallTime {
  readonly #now: () => number;
  /** What the wall is ahead by, when that was found out last. */
  #ahead = 0;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** @param now - milliseconds of a monotonic clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param moment - of the monotonic clock, a moment ago. @returns epoch milliseconds, with fractions. */
  of(moment: number): number {
    if (moment - this.#askedAt >= RECENT_MS) {
      this.#askedAt = this.#now();
      this.#ahead = Date.now() - this.#askedAt;
    }
    return moment + this.#ahead;
  }
}
