import type { Clock } from '../../../pkg/clock/clock.ts';
import type { TracedRequest } from './traced-request.ts';

/** So many requests travel at once, when there are as many. */
const BATCH = 128;
/** How long a request may wait for others that travel with it, in milliseconds. */
const DELAY_MS = 1_000;
/** So many are kept while the receiver is busy. */
const MAX_KEPT = 1_024;

/**
 * Traced requests on their way from the thread that served them to the one that exports them: in batches, of which only
 * one is under way. A channel between threads has no limit, so that whoever cannot keep up would drown in messages.
 */
export class TraceOutbox {
  readonly #send: (requests: readonly TracedRequest[], droppedSpans: number) => void;
  readonly #clock: Clock;
  #kept: TracedRequest[] = [];
  #droppedSpans = 0;
  #isUnderWay = false;
  #cancelTimer: (() => void) | null = null;

  constructor(send: (requests: readonly TracedRequest[], droppedSpans: number) => void, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
  }

  add(request: TracedRequest): void {
    if (this.#kept.length >= MAX_KEPT) {
      this.#droppedSpans += 1 + request.attempts.length;
      return;
    }
    this.#kept.push(request);
    this.#sendSoon();
  }

  /** The last batch has arrived. */
  arrived(): void {
    this.#isUnderWay = false;
    this.#sendSoon();
  }

  /** Sends what is left, whether the receiver is ready or not. */
  flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (this.#kept.length === 0 && this.#droppedSpans === 0) return;
    const requests = this.#kept;
    const dropped = this.#droppedSpans;
    this.#kept = [];
    this.#droppedSpans = 0;
    this.#isUnderWay = true;
    this.#send(requests, dropped);
  }

  #sendSoon(): void {
    if (this.#isUnderWay || this.#kept.length === 0) return;
    if (this.#kept.length >= BATCH) this.flush();
    else this.#cancelTimer ??= this.#clock.after(DELAY_MS, () => this.flush());
  }
}
