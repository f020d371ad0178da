import type { Outcome } from './outcome.ts';

export interface RetrySettings {
  /** Attempts after the first. */
  readonly attempts: number;
  /** Highest share of the requests of the last `WINDOW_S` seconds that may be retried. */
  readonly budget: number;
}

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
const WINDOW_S = 10;
/** However small the load, this many retries in a window are free: the few requests that one crash breaks all get theirs. */
const FREE = 100;

export interface RetryQuestion {
  readonly outcome: Outcome;
  readonly method: string;
  /** The request carries an `Idempotency-Key`: its author says that a repetition does no harm. */
  readonly hasIdempotencyKey: boolean;
  /** What was read of the request body is still at hand, so that it can be sent again from the start. */
  readonly bodyReplayable: boolean;
  /** Attempts made so far. */
  readonly attempts: number;
  /** Those of them whose connection broke after the request was sent. */
  readonly resets: number;
}

/**
 * Whether a failed attempt may be repeated on another upstream: always after a failed connect, because nothing was
 * sent; after a reset before the response head only where a repetition is harmless, because the upstream may have
 * acted, and only once, because the request itself may be what kills whoever gets it. A timeout is not repeated: the next upstream would probably be as slow, and the client has waited enough.
 */
export function mayRetry(question: RetryQuestion, settings: RetrySettings): boolean {
  return retryRefusal(question, settings) === null;
}

/** Why a failed attempt is not repeated; `budget-spent` is for whoever asks the budget. */
export type RetryRefusal =
  | 'attempts-used-up'
  | 'body-gone'
  | 'timed-out'
  /** It has answered, or nobody waits for an answer. */
  | 'over'
  | 'method-not-idempotent'
  | 'broke-twice'
  | 'budget-spent';

/** The same with the reason; null: it may. */
export function retryRefusal(question: RetryQuestion, settings: RetrySettings): RetryRefusal | null {
  const { outcome, attempts, resets, method, hasIdempotencyKey } = question;
  if (outcome.kind === 'head-timeout') return 'timed-out';
  if (outcome.kind !== 'connect-failed' && outcome.kind !== 'reset') return 'over';
  if (attempts > settings.attempts) return 'attempts-used-up';
  if (!question.bodyReplayable) return 'body-gone';
  if (outcome.kind === 'connect-failed') return null;
  if (!isRepeatable(method, hasIdempotencyKey)) return 'method-not-idempotent';
  return resets <= 1 ? null : 'broke-twice';
}

/** How many attempts broke after the request was sent, when the last one ends as told. */
export function resetsOf(attempts: readonly { readonly outcome: Outcome | null }[], last: Outcome): number {
  const earlier = attempts.slice(0, -1).filter(({ outcome }) => outcome?.kind === 'reset').length;
  return last.kind === 'reset' ? earlier + 1 : earlier;
}

/** Whether a request does no more harm when an upstream acts on it twice. */
export function isRepeatable(method: string, hasIdempotencyKey: boolean): boolean {
  return IDEMPOTENT.has(method) || hasIdempotencyKey;
}

/**
 * Keeps retries a small part of the load, so that a broken pool is not finished off by repetitions. Counted over time
 * as in Finagle, not over what runs at one moment: a crash breaks many requests at once, and these few are worth repeating.
 */
export class RetryBudget {
  readonly #now: () => number;
  readonly #free: number;
  /** Counts per second of the window; the slot of second `s` is `s % WINDOW_S`. */
  readonly #requests = Array.from({ length: WINDOW_S }, () => 0);
  readonly #retries = Array.from({ length: WINDOW_S }, () => 0);
  #second = 0;

  /**
   * @param now - milliseconds of a monotonic clock.
   * @param budgets - how many of them the load is spread over.
   */
  constructor(now: () => number, budgets = 1) {
    this.#now = now;
    this.#free = FREE / budgets;
    this.#second = Math.floor(now() / 1_000);
  }

  /** @returns now, since whoever starts a request may want to know. */
  requestStarted(): number {
    const now = this.#now();
    const slot = this.#slotAt(now);
    this.#requests[slot] = (this.#requests[slot] ?? 0) + 1;
    return now;
  }

  /** Whether there is one retry left. */
  has({ budget }: RetrySettings): boolean {
    this.#slotAt(this.#now());
    return sum(this.#retries) < sum(this.#requests) * budget + this.#free;
  }

  /** Takes one retry out of the budget; false when it is spent. */
  take(settings: RetrySettings): boolean {
    if (!this.has(settings)) return false;
    const slot = this.#slotAt(this.#now());
    this.#retries[slot] = (this.#retries[slot] ?? 0) + 1;
    return true;
  }

  /** The slot of the present second, after the slots of the seconds since the last call were emptied. */
  #slotAt(now: number): number {
    const second = Math.floor(now / 1_000);
    for (let past = Math.max(this.#second, second - WINDOW_S) + 1; past <= second; past += 1) {
      this.#requests[past % WINDOW_S] = 0;
      this.#retries[past % WINDOW_S] = 0;
    }
    this.#second = second;
    return second % WINDOW_S;
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
