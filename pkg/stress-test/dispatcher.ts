import type { Answer, Lane, LaneEvents, Sent } from './lane.ts';
import type { Tally } from './tally.ts';

export interface Pace {
  readonly durationMs: number;
  readonly timeoutMs: number;
  /** Requests each second; null: each lane sends as soon as it is free. */
  readonly rate: number | null;
}

/**
 * Hands requests to the lanes. With a rate, the n-th request is due at `n / rate` whatever the target does: when no lane is free it
 * waits here, and its latency counts from when it was due. So a target that stalls is not asked less (no coordinated omission).
 */
export class Dispatcher implements LaneEvents {
  /** Resolves with how long requests were sent, in milliseconds, when none is on its way any more. */
  readonly ended: Promise<number>;
  readonly #pace: Pace;
  readonly #tally: Tally;
  readonly #lanes: Lane[] = [];
  readonly #free = new Set<Lane>();
  readonly #resolve: (durationMs: number) => void;
  #startMs: number | null = null;
  #endMs = Number.POSITIVE_INFINITY;
  #giveUpMs = Number.POSITIVE_INFINITY;
  #due = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(pace: Pace, tally: Tally) {
    this.#pace = pace;
    this.#tally = tally;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.#resolve = resolve;
  }

  add(lane: Lane): void {
    this.#lanes.push(lane);
  }

  start(nowMs: number): void {
    this.#startMs = nowMs;
    const free = [...this.#free];
    if (this.#pace.rate === null) for (const lane of free) this.free(lane);
    else this.#dispatch();
  }

  free(lane: Lane): void {
    this.#free.add(lane);
    if (this.#startMs === null) return;
    if (this.#pace.rate !== null) return this.#dispatch();
    const nowMs = performance.now();
    if (nowMs < this.#lastMs(this.#startMs)) this.#sendBy(lane, nowMs);
  }

  gone(lane: Lane): void {
    this.#free.delete(lane);
  }

  answered(sent: Sent, answer: Answer): void {
    this.#tally.answered(sent, answer, performance.now());
  }

  failed({ intendedMs }: Sent, kind: string): void {
    if (kind === 'timeout' || kind === 'not answered in the end')
      this.#tally.waitedInVain(kind, performance.now() - intendedMs);
    else this.#tally.failed(kind);
  }

  /** Looks for requests that take too long, and for the end. To be called often. */
  sweep(nowMs: number): void {
    if (this.#startMs === null) return;
    if (nowMs >= this.#lastMs(this.#startMs)) this.end(this.#lastMs(this.#startMs), this.#pace.timeoutMs);
    const { timeoutMs } = this.#pace;
    for (const lane of this.#lanes) {
      if (lane.sent === null) continue;
      if (nowMs - lane.sent.sentMs >= timeoutMs) lane.abandon('timeout');
      else if (nowMs >= this.#giveUpMs) lane.abandon('not answered in the end');
    }
    const isOver = this.#endMs !== Number.POSITIVE_INFINITY && this.#lanes.every(({ sent }) => sent === null);
    if (isOver) this.#resolve(this.#endMs - this.#startMs);
  }

  /** Sends nothing more. @param withinMs - how long answers are waited for; it may be called again to wait less. */
  end(nowMs: number, withinMs: number): void {
    if (this.#startMs === null) return;
    this.#giveUpMs = Math.min(this.#giveUpMs, nowMs + withinMs);
    if (this.#endMs !== Number.POSITIVE_INFINITY) return;
    this.#dispatch(); // what was due before the end and has a free lane is only late
    this.#endMs = nowMs;
    clearTimeout(this.#timer);
    if (this.#pace.rate === null) return;
    for (; this.#dueMs(this.#startMs, this.#pace.rate) < nowMs; this.#due += 1)
      this.#tally.waitedInVain('not sent', nowMs - this.#dueMs(this.#startMs, this.#pace.rate));
  }

  #dispatch(): void {
    const { rate } = this.#pace;
    if (rate === null || this.#startMs === null) return;
    const nowMs = performance.now();
    const lastMs = this.#lastMs(this.#startMs);
    clearTimeout(this.#timer);
    for (const lane of this.#free) {
      const dueMs = this.#dueMs(this.#startMs, rate);
      if (dueMs >= lastMs) return;
      if (dueMs > nowMs) {
        this.#timer = setTimeout(() => this.#dispatch(), dueMs - nowMs);
        return;
      }
      this.#due += 1;
      this.#sendBy(lane, dueMs);
    }
  }

  #sendBy(lane: Lane, intendedMs: number): void {
    this.#free.delete(lane);
    lane.send(intendedMs);
  }

  #dueMs(startMs: number, rate: number): number {
    return startMs + (1_000 * this.#due) / rate;
  }

  #lastMs(startMs: number): number {
    return Math.min(this.#endMs, startMs + this.#pace.durationMs);
  }
}
