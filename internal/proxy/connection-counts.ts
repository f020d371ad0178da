import type { SharedSize } from './shared-state.ts';

/** Connections to one upstream, of all threads together. */
export interface Connections {
  /** That are open, or being opened. */
  readonly open: number;
  /** Of these, those that wait for a request. */
  readonly idle: number;
  /** Of these, those that have become tunnels, such as WebSockets. */
  readonly tunnels: number;
  /** That were begun in all, in vain or not. */
  readonly attempts: number;
  /** How many times a kept one was used again. */
  readonly reuses: number;
}

const COLUMNS = 5;

/**
 * The connections to each upstream, in memory that all threads share; each thread has a row of its own. Whoever has a pool of
 * connections to an upstream counts, until it has let go of the upstream: the place may become another's then.
 */
export class ConnectionCounts {
  readonly #upstreams: number;
  /** Where the row of this thread begins. */
  readonly #own: number;
  readonly #open: Float64Array;
  readonly #idle: Float64Array;
  readonly #tunnels: Float64Array;
  readonly #attempts: Float64Array;
  readonly #reuses: Float64Array;

  /** @param floats - gives out columns of the memory. */
  constructor({ upstreams, threads }: SharedSize, thread: number, floats: (length: number) => Float64Array) {
    this.#upstreams = upstreams;
    this.#own = thread * upstreams;
    const length = (threads + 1) * upstreams;
    this.#open = floats(length);
    this.#idle = floats(length);
    this.#tunnels = floats(length);
    this.#attempts = floats(length);
    this.#reuses = floats(length);
  }

  /** How many floats the columns take. */
  static size({ upstreams, threads }: SharedSize): number {
    return COLUMNS * (threads + 1) * upstreams;
  }

  /** One more is being opened. */
  opens(slot: number): void {
    add(this.#attempts, this.#own + slot, 1);
    add(this.#open, this.#own + slot, 1);
  }

  /** One that was counted as open is gone. */
  closed(slot: number): void {
    add(this.#open, this.#own + slot, -1);
  }

  /** A kept one is used again. */
  reused(slot: number): void {
    add(this.#reuses, this.#own + slot, 1);
  }

  /** @param count - of this thread, now. */
  setIdle(slot: number, count: number): void {
    this.#idle[this.#own + slot] = count;
  }

  /** One becomes a tunnel, or a tunnel is over. */
  tunnels(slot: number, change: 1 | -1): void {
    add(this.#tunnels, this.#own + slot, change);
  }

  /** This thread has let go of the upstream: what is still open to it counts no more. */
  leave(slot: number): void {
    this.#forget(this.#own + slot);
  }

  read(slot: number): Connections {
    const sum = (column: Float64Array) => {
      let all = 0;
      for (let at = slot; at < column.length; at += this.#upstreams) all += column[at] ?? 0;
      return all;
    };
    return {
      open: sum(this.#open),
      idle: sum(this.#idle),
      tunnels: sum(this.#tunnels),
      attempts: sum(this.#attempts),
      reuses: sum(this.#reuses),
    };
  }

  /** The connections of a thread are gone with it; what it has done stays. */
  takeOff(thread: number): void {
    for (let slot = 0; slot < this.#upstreams; slot += 1) this.#forget(thread * this.#upstreams + slot);
  }

  clear(slot: number): void {
    for (let at = slot; at < this.#open.length; at += this.#upstreams) {
      this.#forget(at);
      this.#attempts[at] = 0;
      this.#reuses[at] = 0;
    }
  }

  #forget(at: number): void {
    this.#open[at] = 0;
    this.#idle[at] = 0;
    this.#tunnels[at] = 0;
  }
}

/** Nobody else writes there while this thread lives. */
function add(column: Float64Array, at: number, change: number): void {
  column[at] = (column[at] ?? 0) + change;
}
