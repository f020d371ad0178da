import type { AlertRecord } from '../../../pkg/alerts/book.ts';
import type { AlertView } from '../../model/alert-view.ts';
import type { RegistryWriter } from '../../registry/registry.ts';
import { alertView } from '../alert-views.ts';

/** How long a resolved alert is shown, in milliseconds. */
const RESOLVED_MS = 3_600_000;
/** So many of each kind at most. */
const MOST_ACTIVE = 200;
const MOST_RESOLVED = 50;
/** Resolved alerts are read again when those that are active change, and after so many milliseconds. */
const READ_AGAIN_MS = 30_000;

/** The alerts to be shown. */
export class LiveAlerts {
  readonly #registry: Pick<RegistryWriter, 'alertBook'>;
  readonly #clock: () => number;
  #resolved: readonly AlertRecord[] = [];
  #readAt = Number.NEGATIVE_INFINITY;
  /** Of those that were active then. */
  #ids = '';

  /** @param clock - epoch milliseconds. */
  constructor(registry: Pick<RegistryWriter, 'alertBook'>, clock: () => number) {
    this.#registry = registry;
    this.#clock = clock;
  }

  /** Newest first. */
  async read(): Promise<AlertView[]> {
    const { alertBook: book } = this.#registry;
    const [active, silences] = await Promise.all([
      book.alerts({ limit: MOST_ACTIVE, state: 'active' }),
      book.silences(),
    ]);
    const now = this.#clock();
    const resolved = await this.#readResolved(active.map(({ id }) => id).join(), now);
    return [...active, ...resolved.filter(({ resolvedAt }) => (resolvedAt ?? 0) > now - RESOLVED_MS)]
      .toSorted((a, b) => b.alert.at - a.alert.at)
      .map((record) => alertView(record, silences, now));
  }

  async #readResolved(ids: string, now: number): Promise<readonly AlertRecord[]> {
    if (ids === this.#ids && Math.abs(now - this.#readAt) < READ_AGAIN_MS) return this.#resolved;
    this.#resolved = await this.#registry.alertBook.alerts({ limit: MOST_RESOLVED, state: 'resolved' });
    this.#readAt = now;
    this.#ids = ids;
    return this.#resolved;
  }
}
