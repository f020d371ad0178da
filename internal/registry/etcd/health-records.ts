import type { HealthRecord } from '../../model/health.ts';
import { FINDINGS_KEPT_MS } from '../kept-for.ts';
import { FORM } from './forms.ts';
import type { Instances } from './instances.ts';
import { NAMES } from './names.ts';
import { valueIfValid } from './parse.ts';
import type { Store, Write } from './store.ts';

/** Health that has not changed is written again after so long, for the sake of its age; so often is swept, too. */
const REWRITTEN_MS = 3_600_000;

interface HealthRecordsOptions {
  readonly store: Store;
  readonly instances: Instances;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** What a load balancer writes of the health of instances. */
export class HealthRecords {
  readonly #options: HealthRecordsOptions;
  /** By instance: what this load balancer has written last, and when (epoch milliseconds). */
  readonly #written = new Map<string, { readonly text: string; readonly at: number }>();
  #sweepAt = Number.NEGATIVE_INFINITY;

  constructor(options: HealthRecordsOptions) {
    this.#options = options;
  }

  async save(records: readonly HealthRecord[]): Promise<void> {
    const { store, clock } = this.#options;
    const now = clock();
    const news = records.flatMap((record) => {
      const { instanceId } = record;
      const text = JSON.stringify(record);
      const written = this.#written.get(instanceId);
      const isNews = written?.text !== text || written.at < now - REWRITTEN_MS;
      return isNews ? [{ instanceId, text, write: putHealth(record, now) }] : [];
    });
    const saved = new Set(records.map(({ instanceId }) => instanceId));
    const forgotten = now < this.#sweepAt ? [] : await this.#forgotten(now);
    const removals = forgotten.filter((id) => !saved.has(id)).map((id): Write => ({ remove: NAMES.health(id) }));
    if (news.length + removals.length === 0) return;
    await store.write([...news.map(({ write }) => write), ...removals]);
    for (const { instanceId, text } of news) this.#written.set(instanceId, { text, at: now });
    for (const id of forgotten) if (!saved.has(id)) this.#written.delete(id);
  }

  /** What neither has an instance in the registry nor was saved for a day: declared ones have none. */
  async #forgotten(now: number): Promise<string[]> {
    const { store, instances } = this.#options;
    const { entries } = await store.list(NAMES.health(''));
    const unknown = entries
      .flatMap((entry) => valueIfValid(FORM.health, entry) ?? [])
      .filter(({ instanceId }) => instances.get(instanceId) === null);
    const old = unknown.filter(({ savedAt }) => savedAt < now - FINDINGS_KEPT_MS);
    const next = unknown.filter((each) => !old.includes(each)).map(({ savedAt }) => savedAt + FINDINGS_KEPT_MS + 1);
    this.#sweepAt = Math.min(now + REWRITTEN_MS, ...next);
    return old.map(({ instanceId }) => instanceId);
  }
}

/** @param savedAt - epoch milliseconds. */
export function putHealth(record: HealthRecord, savedAt: number): Write {
  const { instanceId, incarnation, health, cause, since, proxyId } = record;
  const value = { instanceId, incarnation, health, cause, since, proxyId, savedAt };
  return { put: NAMES.health(instanceId), value };
}
