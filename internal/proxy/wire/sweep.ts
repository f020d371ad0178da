import type { Transport, TransportHost } from './transport.ts';

const LONGEST_TICK_MS = 250;
const SHORTEST_TICK_MS = 10;
/** Deadlines may be late by two ticks: this share of the shortest timeout each. */
const TICK_SHARE = 1 / 4;
const READ_BUFFER = 64 * 1024;

/** Watches the deadlines of all connections with one coarse timer, which runs only while there are any. */
export class Sweep implements TransportHost {
  readonly readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER);
  readonly transports = new Set<Transport>();
  time: number;
  tick = LONGEST_TICK_MS;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;

  /** @param now - milliseconds of a monotonic clock. */
  constructor(now: () => number) {
    this.#now = now;
    this.time = now();
  }

  /** @param shortestMs - the shortest timeout that will be asked for. */
  setPrecision(shortestMs: number): void {
    this.tick = Math.min(Math.max(shortestMs * TICK_SHARE, SHORTEST_TICK_MS), LONGEST_TICK_MS);
    if (this.#timer !== null) this.start();
  }

  start(): void {
    this.stop();
    this.time = this.#now();
    this.#timer = setInterval(() => this.#sweep(), this.tick);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #sweep(): void {
    this.time = this.#now();
    for (const transport of this.transports) transport.check(this.time);
  }
}
