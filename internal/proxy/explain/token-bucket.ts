/** Lets so many through a second on average, evenly. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #capacity: number;
  #tokens: number;
  #filledAt: number;
  /** There is nothing to be had before. */
  #emptyUntil = Number.NEGATIVE_INFINITY;

  /**
   * @param perSecond - above 0; as many at once at most.
   * @param now - milliseconds of a monotonic clock.
   */
  constructor(perSecond: number, now: number) {
    this.#perMs = perSecond / 1_000;
    this.#capacity = perSecond;
    this.#tokens = perSecond;
    this.#filledAt = now;
  }

  /** Whether there is certainly nothing to be had: one comparison. */
  isEmptyAt(now: number): boolean {
    return now < this.#emptyUntil;
  }

  /** @param cost - in tokens; what is dearer than all that there are is paid for afterwards. */
  take(cost: number, now: number): boolean {
    if (this.isEmptyAt(now)) return false;
    this.#tokens = Math.min(this.#tokens + Math.max(now - this.#filledAt, 0) * this.#perMs, this.#capacity);
    this.#filledAt = now;
    if (this.#tokens >= 1) {
      this.#tokens -= cost;
      return true;
    }
    this.#emptyUntil = now + (1 - this.#tokens) / this.#perMs;
    return false;
  }
}
