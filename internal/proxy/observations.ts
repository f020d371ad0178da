import type { SharedSize } from './shared-state.ts';

/** Gives out columns of the shared memory; those of floats come before those of integers, for the sake of alignment. */
export interface Columns {
  readonly floats: (length: number) => Float64Array;
  readonly integers: (length: number) => Int32Array;
}

/** What all threads together have seen of one upstream since its place was cleared. */
export interface Observed {
  /** Response heads that are no failures. */
  readonly answers: number;
  /** Sum of the natural logarithms of the milliseconds to these. */
  readonly logMs: number;
  readonly gatewayErrors: number;
  /** Those that did not count any more, see `judged`. */
  readonly outdated: number;
  /** Requests that are sent and have no response head yet. */
  readonly waiting: number;
  /** Sum of the times at which these were sent, in milliseconds of the monotonic clock. */
  readonly sentAt: number;
  /** Requests whose response head is here and whose end is not. */
  readonly answering: number;
}

/** Shorter answers count as this: the logarithm of 0 would outweigh any number of slow ones. */
const SHORTEST_MS = 0.01;
const PER_THREAD = 8;

/**
 * What requests tell about upstreams, in memory that all threads share: plain numbers, added to by whoever sees them and
 * judged by the main thread. Each thread has a row of its own in each column, so that nothing is lost and nothing waits;
 * only the errors in a row are counted by all together.
 */
export class Observations {
  readonly #upstreams: number;
  /** Where the row of this thread begins. */
  readonly #own: number;
  readonly #answers: Float64Array;
  readonly #logMs: Float64Array;
  readonly #slowestMs: Float64Array;
  readonly #errors: Float64Array;
  readonly #outdated: Float64Array;
  readonly #waiting: Float64Array;
  readonly #sentAt: Float64Array;
  readonly #answering: Float64Array;
  readonly #streakSince: Float64Array;
  /** What began before says nothing any more: it was seen, and an ejection was the answer. */
  readonly #judgedFrom: Float64Array;
  readonly #streaks: Int32Array;

  constructor({ upstreams, threads }: SharedSize, thread: number, { floats, integers }: Columns) {
    this.#upstreams = upstreams;
    this.#own = thread * upstreams;
    const all = (threads + 1) * upstreams;
    this.#answers = floats(all);
    this.#logMs = floats(all);
    this.#slowestMs = floats(all);
    this.#errors = floats(all);
    this.#outdated = floats(all);
    this.#waiting = floats(all);
    this.#sentAt = floats(all);
    this.#answering = floats(all);
    this.#streakSince = floats(upstreams);
    this.#judgedFrom = floats(upstreams);
    this.#streaks = integers(upstreams);
  }

  /** How many of each the columns take. */
  static size({ upstreams, threads }: SharedSize): { readonly floats: number; readonly integers: number } {
    return { floats: upstreams * (PER_THREAD * (threads + 1) + 2), integers: upstreams };
  }

  /** The whole request is sent. @param at - in milliseconds of the monotonic clock. */
  sent(slot: number, at: number): void {
    const own = this.#own + slot;
    this.#waiting[own] = (this.#waiting[own] ?? 0) + 1;
    this.#sentAt[own] = (this.#sentAt[own] ?? 0) + at;
  }

  /** A request that was `sent` at that time waits no more. */
  settled(slot: number, at: number): void {
    const own = this.#own + slot;
    const left = (this.#waiting[own] ?? 0) - 1;
    this.#waiting[own] = left;
    this.#sentAt[own] = left > 0 ? (this.#sentAt[own] ?? 0) - at : 0; // no rounding error outlives a pause
  }

  /** A response head that is no failure. @param waitedMs - since the request was sent. */
  answered(slot: number, waitedMs: number): void {
    const own = this.#own + slot;
    this.#answers[own] = (this.#answers[own] ?? 0) + 1;
    this.#logMs[own] = (this.#logMs[own] ?? 0) + Math.log(Math.max(waitedMs, SHORTEST_MS));
    if (waitedMs > (this.#slowestMs[own] ?? 0)) this.#slowestMs[own] = waitedMs;
  }

  /** A response begins: 1, or one that had begun is over: -1. */
  answering(slot: number, change: 1 | -1): void {
    const own = this.#own + slot;
    this.#answering[own] = (this.#answering[own] ?? 0) + change;
  }

  /** How many have begun and are not over, in all threads. */
  inProgress(slot: number): number {
    return this.#sum(this.#answering, slot);
  }

  /** It answers as one that works: the errors so far are not in a row with those to come. */
  endStreak(slot: number): void {
    if (this.#streaks[slot] !== 0) Atomics.store(this.#streaks, slot, 0);
  }

  /**
   * @param startedAt - of the attempt.
   * @param windowMs - a row that has lasted longer begins anew.
   * @returns how many there are in a row; 0 for one that does not count any more.
   */
  gatewayError(slot: number, startedAt: number, now: number, windowMs: number): number {
    const own = this.#own + slot;
    if (startedAt < (this.#judgedFrom[slot] ?? 0)) {
      this.#outdated[own] = (this.#outdated[own] ?? 0) + 1;
      return 0;
    }
    this.#errors[own] = (this.#errors[own] ?? 0) + 1;
    if (this.#streaks[slot] === 0 || now - (this.#streakSince[slot] ?? 0) > windowMs) {
      this.#streakSince[slot] = now;
      Atomics.store(this.#streaks, slot, 0);
    }
    return Atomics.add(this.#streaks, slot, 1) + 1;
  }

  /** Gateway errors in a row that has not lasted longer than `windowMs`. */
  streak(slot: number, now: number, windowMs: number): number {
    return now - (this.#streakSince[slot] ?? 0) > windowMs ? 0 : Atomics.load(this.#streaks, slot);
  }

  /** By the main thread: errors of attempts that began before are known. */
  judged(slot: number, now: number): void {
    this.#judgedFrom[slot] = now;
    this.endStreak(slot);
  }

  /** For the main thread. */
  read(slot: number): Observed {
    return {
      answers: this.#sum(this.#answers, slot),
      logMs: this.#sum(this.#logMs, slot),
      gatewayErrors: this.#sum(this.#errors, slot),
      outdated: this.#sum(this.#outdated, slot),
      waiting: this.#sum(this.#waiting, slot),
      sentAt: this.#sum(this.#sentAt, slot),
      answering: this.#sum(this.#answering, slot),
    };
  }

  /** The longest that an answer has taken since the last call, in milliseconds; for the main thread. */
  takeSlowest(slot: number): number {
    let slowest = 0;
    for (let at = slot; at < this.#slowestMs.length; at += this.#upstreams) {
      slowest = Math.max(slowest, this.#slowestMs[at] ?? 0);
      this.#slowestMs[at] = 0;
    }
    return slowest;
  }

  /** A thread that is gone waits for nothing. */
  takeOff(thread: number): void {
    const from = thread * this.#upstreams;
    this.#waiting.fill(0, from, from + this.#upstreams);
    this.#sentAt.fill(0, from, from + this.#upstreams);
    this.#answering.fill(0, from, from + this.#upstreams);
  }

  clear(slot: number): void {
    const seen = [this.#answers, this.#logMs, this.#slowestMs, this.#errors, this.#outdated];
    for (const column of [...seen, this.#waiting, this.#sentAt, this.#answering]) {
      for (let at = slot; at < column.length; at += this.#upstreams) column[at] = 0;
    }
    this.#streakSince[slot] = 0;
    this.#judgedFrom[slot] = 0;
    Atomics.store(this.#streaks, slot, 0);
  }

  #sum(column: Float64Array, slot: number): number {
    let sum = 0;
    for (let at = slot; at < column.length; at += this.#upstreams) sum += column[at] ?? 0;
    return sum;
  }
}
