import type { Usage } from '../../model/instance.ts';
import { SAMPLES_KEPT_MS, spanOf } from '../../model/traffic-sample.ts';

/** What the processes of instances used in the last 15 minutes, one reading for each span; of this manager alone. */
export class UsageHistory {
  /** By span and by instance. */
  readonly #readings = new Map<number, ReadonlyMap<string, Usage>>();

  /** The last readings of a span are the ones that are kept. @param now - epoch milliseconds. */
  note(readings: ReadonlyMap<string, Usage>, now: number): void {
    const [oldest, present] = [spanOf(now - SAMPLES_KEPT_MS), spanOf(now)];
    this.#readings.set(present, readings);
    for (const span of this.#readings.keys()) if (span < oldest || span > present) this.#readings.delete(span);
  }

  /** Undefined where nothing is known. */
  of(instanceId: string, span: number): Usage | undefined {
    return this.#readings.get(span)?.get(instanceId);
  }
}
