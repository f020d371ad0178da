import type { Outcome } from './outcome.ts';

export interface RetrySettings {
  /** Attempts after the first. */
  readonly attempts: number;
  /** Highest share of the active requests that may be retries at one moment. */
  readonly budget: number;
}

/** However small the load, this many retries may run at once. */
const MIN_CONCURRENT_RETRIES = 3;
/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export interface RetryQuestion {
  readonly outcome: Outcome;
  readonly method: string;
  /** The request carries an `Idempotency-Key`: its author says that a repetition does no harm. */
  readonly hasIdempotencyKey: boolean;
  /** What was read of the request body is still at hand, so that it can be sent again from the start. */
  readonly bodyReplayable: boolean;
  /** Attempts made so far. */
  readonly attempts: number;
}

/**
 * Whether a failed attempt may be repeated on another upstream: always after a failed connect, because nothing was
 * sent; after a reset before the response head only where a repetition is harmless, because the upstream may have
 * acted. A timeout is not repeated: the next upstream would probably be as slow, and the client has waited enough.
 */
export function mayRetry(question: RetryQuestion, settings: RetrySettings): boolean {
  if (question.attempts > settings.attempts || !question.bodyReplayable) return false;
  if (question.outcome.kind === 'connect-failed') return true;
  return question.outcome.kind === 'reset' && (IDEMPOTENT.has(question.method) || question.hasIdempotencyKey);
}

/** Keeps retries a small part of the load, so that a broken pool is not finished off by repetitions (Envoy's retry budget). */
export class RetryBudget {
  #active = 0;
  #retrying = 0;

  requestStarted(): void {
    this.#active += 1;
  }

  requestEnded(retried: boolean): void {
    this.#active -= 1;
    if (retried) this.#retrying -= 1;
  }

  /** Takes one place for a request's first retry; false when the budget is spent. The place is kept until the request ends. */
  take(settings: RetrySettings): boolean {
    if (this.#retrying >= Math.max(MIN_CONCURRENT_RETRIES, this.#active * settings.budget)) return false;
    this.#retrying += 1;
    return true;
  }
}
