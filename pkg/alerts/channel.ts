import type { Clock } from '../clock/clock.ts';
import type { Alert, Notification } from './alert.ts';
import { NO_FILTER } from './filter.ts';
import { DeliveryError, type Notifier } from './notifier.ts';
import { QuietCalendar } from './quiet-calendar.ts';
import type { ChannelFilter } from './schema.ts';
import { formatDuration } from './words.ts';

/** Longest that one attempt may take, whatever the notifier's own limits are. */
const ATTEMPT_TIMEOUT_MS = 60_000;
/** Messages that wait behind the one being sent; beyond it the oldest is dropped. */
const QUEUE_LENGTH = 100;

export interface RetryPolicy {
  /** In all, the first included. */
  readonly attempts: number;
  /** Before the second attempt. */
  readonly baseMs: number;
  /** How much longer each further delay is than the one before. */
  readonly growth: number;
  readonly maxMs: number;
}

/**
 * After 2.5 s, 15 s, 90 s and 9 min, or half of each: a mail server that puts off strangers (greylisting) does so for five
 * minutes, and one that starts anew takes a minute or two.
 */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, baseMs: 2_500, growth: 6, maxMs: 600_000 };

/** What alerts need of a logger. */
export interface AlertLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ChannelContext {
  readonly clock: Clock;
  readonly log: AlertLog;
  /** In [0, 1). */
  readonly random: () => number;
}

/** The queue in front of one notifier: sends in order, repeats what failed, and never keeps another channel waiting. */
export class Channel {
  readonly #context: ChannelContext;
  readonly #onSettled: (notification: Notification) => void;
  readonly #closing = new AbortController();
  #notifier: Notifier;
  #quiet: QuietCalendar;
  #retry: RetryPolicy;
  #queue: Notification[] = [];
  #current: Notification | null = null;
  #worker: Promise<void> | null = null;
  #wake: (() => void) | null = null;

  /** @param onSettled - called when a message was delivered, or given up. */
  constructor(
    notifier: Notifier,
    retry: RetryPolicy,
    context: ChannelContext,
    onSettled: (notification: Notification) => void = () => {},
  ) {
    this.#notifier = notifier;
    this.#retry = retry;
    this.#context = context;
    this.#onSettled = onSettled;
    this.#quiet = new QuietCalendar(this.filter.quiet);
  }

  get name(): string {
    return this.#notifier.name;
  }

  get filter(): ChannelFilter {
    return this.#notifier.filter ?? NO_FILTER;
  }

  /** See `QuietCalendar`. */
  quietUntil(severity: Alert['severity']): number | null {
    return this.#quiet.until(severity, this.#context.clock.now());
  }

  /** Takes over a changed notifier of the same name; what waits for its next attempt is tried with it at once. */
  use(notifier: Notifier, retry: RetryPolicy): void {
    this.#notifier = notifier;
    this.#retry = retry;
    this.#quiet = new QuietCalendar(this.filter.quiet);
    this.#wake?.();
  }

  enqueue(notification: Notification): void {
    if (this.#closing.signal.aborted) return;
    this.#queue.push(notification);
    if (this.#queue.length > QUEUE_LENGTH) {
      const dropped = this.#queue.shift();
      this.#context.log.error({ channel: this.name, subject: dropped?.subject }, 'alert dropped: too many are waiting');
      if (dropped) this.#onSettled(dropped);
    }
    this.#worker ??= this.#work();
  }

  /** Makes one attempt outside the queue. */
  async attempt(notification: Notification): Promise<void> {
    const limit = new AbortController();
    const cancel = this.#context.clock.after(ATTEMPT_TIMEOUT_MS, () => {
      limit.abort(new DeliveryError(`not sent within ${formatDuration(ATTEMPT_TIMEOUT_MS)}`, { retryable: true }));
    });
    const signal = AbortSignal.any([limit.signal, this.#closing.signal]);
    try {
      await untilAborted(this.#notifier.send(notification, signal), signal);
    } finally {
      cancel();
    }
  }

  /** Resolves when nothing waits any more; what waits for its next attempt is tried at once. */
  async drained(): Promise<void> {
    this.#wake?.();
    await this.#worker;
  }

  /** Aborts what is under way, and returns what was not delivered. */
  close(): Notification[] {
    const undelivered = this.#current ? [this.#current, ...this.#queue] : this.#queue;
    this.#queue = [];
    this.#closing.abort(new DeliveryError('the channel was closed', { retryable: false }));
    this.#wake?.();
    return undelivered;
  }

  async #work(): Promise<void> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      this.#current = next;
      await this.#deliver(next);
      this.#current = null;
      if (!this.#closing.signal.aborted) this.#onSettled(next);
    }
    this.#worker = null;
  }

  async #deliver(notification: Notification): Promise<void> {
    const { log } = this.#context;
    const fields = { channel: this.name, subject: notification.subject };
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.attempt(notification);
        log.info({ ...fields, attempt }, 'alert sent');
        return;
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        const failure = { ...fields, attempt, cause: error instanceof Error ? error.message : String(error) };
        if (attempt >= this.#retry.attempts || (error instanceof DeliveryError && !error.retryable)) {
          log.error(failure, 'alert not delivered');
          return;
        }
        log.warn(failure, 'alert not delivered yet');
        await this.#pause(this.#delayAfter(attempt, error));
      }
      if (this.#closing.signal.aborted) return;
    }
  }

  /** Exponential, with the upper half random, so that channels do not knock in step; never sooner than was asked for. */
  #delayAfter(attempt: number, error: unknown): number {
    const { baseMs, growth, maxMs } = this.#retry;
    const backoff = Math.min(maxMs, baseMs * growth ** (attempt - 1)) * (0.5 + 0.5 * this.#context.random());
    const asked = error instanceof DeliveryError ? error.retryAfterMs : 0;
    return Math.max(backoff, Math.min(maxMs, asked));
  }

  async #pause(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#context.clock.after(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = null;
  }
}

/** Rejects with the signal's reason as soon as it aborts: a notifier that ignores the signal holds up nobody. */
async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
