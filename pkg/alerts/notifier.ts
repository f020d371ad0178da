import type { Notification } from './alert.ts';
import type { ChannelFilter } from './schema.ts';

/** One channel to people. */
export interface Notifier {
  /** Shown in logs and in the result of a test; unique, without secrets. */
  readonly name: string;
  /** What it is told of, and when; default: everything, at once. */
  readonly filter?: ChannelFilter;
  /**
   * Makes one attempt; the caller repeats it.
   * @throws {DeliveryError} with the reason in words; any other error counts as worth another attempt.
   */
  send(notification: Notification, signal: AbortSignal): Promise<void>;
}

export interface DeliveryErrorOptions extends ErrorOptions {
  /** False when the same message would be refused again. */
  readonly retryable: boolean;
  /** Milliseconds that the receiver asked to wait before the next attempt. */
  readonly retryAfterMs?: number;
}

/** A message was not delivered. */
export class DeliveryError extends Error {
  readonly retryable: boolean;
  readonly retryAfterMs: number;

  constructor(message: string, { retryable, retryAfterMs = 0, ...options }: DeliveryErrorOptions) {
    super(message, options);
    this.name = 'DeliveryError';
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}
