import type { QueueLimits } from './pool-parts.ts';

/** How long turns are counted for before the count begins anew, in milliseconds; the count before it still tells. */
const SPAN_MS = 1_000;
/** Fewer turns say nothing about how fast the line moves. */
const LEAST_TURNS = 10;
/** CoDel's target is 5 % of its interval (Nichols and Jacobson, "Controlling Queue Delay", 2012, and RFC 8289). */
const TARGET_SHARE = 0.05;
/** A line shorter than this many turns runs empty by chance, and then upstreams are idle in the middle of an overload. */
const LEAST_LINE = 10;

/** Where the numbers of a pool are. */
const SINCE = 0;
const TURNS = 1;
const BEFORE = 2;
const STANDING_UNTIL = 3;
export const GAUGE_NUMBERS = 4;

/**
 * How fast the line of a pool moves, and whether it stands: in the memory of all threads, written under the lock of the pool.
 *
 * A line that takes up a burst is good; one that stands makes everybody wait and serves nobody better. It stands once somebody
 * has waited in vain: then there has been a line for as long as one may wait. From then on nobody waits for longer than a
 * twentieth of that time, until so long nobody had to be sent away. That is CoDel as "Fail at Scale" (Maurer, ACM Queue 2015)
 * has it for requests, with the time of `queue` as its interval.
 */
export class LineGauge {
  readonly #numbers: Float64Array;
  readonly #at: number;

  /** @param numbers - of all pools. */
  constructor(numbers: Float64Array, pool: number) {
    this.#numbers = numbers;
    this.#at = GAUGE_NUMBERS * pool;
  }

  /** What was counted says nothing about what comes: there was no line, or one that was held. */
  restart(now: number): void {
    this.#set(SINCE, now);
    this.#set(TURNS, 0);
    this.#set(BEFORE, Number.NaN);
  }

  /** Somebody had their turn. */
  turn(now: number): void {
    this.#goOn(now);
    this.#set(TURNS, this.#get(TURNS) + 1);
  }

  /**
   * Whether somebody who comes now would wait in vain, even if all that runs ended at once.
   * @param ahead - how many have their turn before.
   * @param running - how many requests run; asked for when it matters.
   */
  refuses(ahead: number, running: () => number, queue: QueueLimits, now: number): boolean {
    if (!queue.shed) return false;
    const stands = this.#stands(now);
    if (ahead === 0 && !stands) this.restart(now);
    const patience = this.patience(queue, now);
    if (this.wait(ahead, now) <= patience || this.wait(ahead - running(), now) <= patience) return false;
    if (stands) this.#set(STANDING_UNTIL, now + queue.timeout);
    return true;
  }

  /** How long one waits at most, in milliseconds. */
  patience({ shed, timeout }: QueueLimits, now: number): number {
    if (!shed || !this.#stands(now)) return timeout;
    return Math.min(Math.max(TARGET_SHARE * timeout, LEAST_LINE * this.#msPerTurn(now, 1)), timeout);
  }

  /** Somebody has waited in vain. @returns `shed` when that was for less than the usual time. */
  inVain({ shed, timeout }: QueueLimits, now: number): 'busy' | 'shed' {
    const stood = this.#stands(now);
    if (shed) this.#set(STANDING_UNTIL, now + timeout);
    return shed && stood ? 'shed' : 'busy';
  }

  /**
   * How long whoever comes now waits for their turn, in milliseconds, at the present speed; 0 while that is not known.
   * @param ahead - how many have theirs before.
   */
  wait(ahead: number, now: number): number {
    const msPerTurn = this.#msPerTurn(now, LEAST_TURNS);
    return Number.isFinite(msPerTurn) ? Math.max(ahead, 0) * msPerTurn : 0;
  }

  #stands(now: number): boolean {
    return now < this.#get(STANDING_UNTIL);
  }

  /** Infinite when there were fewer turns than that. Writes nothing: patience is looked at without the lock. */
  #msPerTurn(now: number, leastTurns: number): number {
    const [age, present, before] = [now - this.#get(SINCE), this.#get(TURNS), this.#get(BEFORE)];
    const isOver = age >= SPAN_MS;
    const turns = isOver ? present : present + (Number.isNaN(before) ? 0 : before);
    const elapsed = isOver || Number.isNaN(before) ? age : age + SPAN_MS;
    return turns < leastTurns || age >= 2 * SPAN_MS ? Number.POSITIVE_INFINITY : elapsed / turns;
  }

  #goOn(now: number): void {
    const since = this.#get(SINCE);
    const age = now - since;
    if (age < SPAN_MS) return;
    const isNext = age < 2 * SPAN_MS;
    this.#set(BEFORE, isNext ? this.#get(TURNS) : 0);
    this.#set(TURNS, 0);
    this.#set(SINCE, isNext ? since + SPAN_MS : now);
  }

  #get(number: number): number {
    return this.#numbers[this.#at + number] ?? 0;
  }

  #set(number: number, value: number): void {
    this.#numbers[this.#at + number] = value;
  }
}
