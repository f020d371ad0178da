import { createTask } from 'node-cron';
import type { Alert } from './alert.ts';
import type { QuietWindow } from './schema.ts';

const MINUTE_MS = 60_000;

/**
 * Knows when a channel is not to be disturbed, by the calendar of the machine. No minute is looked at twice: to match one
 * against a cron expression takes a tenth of a millisecond, and a window may have begun a day ago.
 */
export class QuietCalendar {
  readonly #windows: readonly QuietWindow[];
  /** When each window began last, in epoch milliseconds. */
  #begins: (number | null)[];
  /** Epoch milliseconds of the last minute that was looked at. */
  #lookedAt = Number.POSITIVE_INFINITY;

  constructor(windows: readonly QuietWindow[]) {
    this.#windows = windows;
    this.#begins = windows.map(() => null);
  }

  /**
   * When the last of the windows ends that an alert falls into; null when it may be told now.
   * @param now - epoch milliseconds, as what is returned.
   */
  until(severity: Alert['severity'], now: number): number | null {
    this.#look(Math.floor(now / MINUTE_MS) * MINUTE_MS);
    const ends = this.#windows.flatMap(({ except, for: length }, at) => {
      const begin = this.#begins[at] ?? null;
      const isExcepted = except === 'critical' && severity === 'critical';
      return begin === null || isExcepted || begin + length <= now ? [] : [begin + length];
    });
    return ends.length === 0 ? null : Math.max(...ends);
  }

  #look(minute: number): void {
    if (this.#windows.length === 0 || minute === this.#lookedAt) return;
    const farthest = minute - Math.max(...this.#windows.map(({ for: length }) => length));
    const isFirst = minute < this.#lookedAt; // or the clock was set back
    const from = isFirst ? farthest : Math.max(farthest, this.#lookedAt + MINUTE_MS);
    if (isFirst) this.#begins = this.#windows.map(() => null);
    const tasks = this.#windows.map(({ cron }) => createTask(cron, () => {}));
    for (let at = Math.ceil(from / MINUTE_MS) * MINUTE_MS; at <= minute; at += MINUTE_MS) {
      const date = new Date(at);
      for (const [index, task] of tasks.entries()) if (task.match(date)) this.#begins[index] = at;
    }
    for (const task of tasks) void task.destroy();
    this.#lookedAt = minute;
  }
}
