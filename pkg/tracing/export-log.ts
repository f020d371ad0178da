import type { Logger } from '../logger/logger.ts';

/** A receiver that stays away is mentioned again after this time, in milliseconds. */
const REPEAT_MS = 5 * 60_000;

/** Tells of a receiver that takes no spans: when it begins, now and then while it lasts, and when it is over. */
export class ExportLog {
  readonly #log: Logger;
  readonly #endpoint: string;
  /** Milliseconds of a monotonic clock. */
  readonly #now: () => number;
  /** Spans that were sent in vain since it was last told; null: the last export went well. */
  #failed: number | null = null;
  #toldAt = 0;

  constructor(log: Logger, endpoint: string, now: () => number) {
    this.#log = log;
    const { origin, pathname } = new URL(endpoint); // a query may be a key
    this.#endpoint = origin + pathname;
    this.#now = now;
  }

  failed(spans: number, cause: string): void {
    const isNews = this.#failed === null;
    this.#failed = (this.#failed ?? 0) + spans;
    if (!isNews && this.#now() - this.#toldAt < REPEAT_MS) return;
    this.#log.warn(
      { endpoint: this.#endpoint, cause, lostSpans: this.#failed },
      `spans cannot be exported to ${this.#endpoint}: ${cause}; requests go on without them`,
    );
    this.#failed = 0;
    this.#toldAt = this.#now();
  }

  succeeded(): void {
    if (this.#failed === null) return;
    this.#log.info({ endpoint: this.#endpoint, lostSpans: this.#failed }, 'spans are exported again');
    this.#failed = null;
  }
}
