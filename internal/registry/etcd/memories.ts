import type { EjectionRecord } from '../../model/ejection.ts';
import { EJECTION_KEPT_MS, FINDINGS_KEPT_MS } from '../kept-for.ts';
import type { LatencyRecord } from '../registry.ts';
import { RollingLease, withLeases } from './leases.ts';
import { NAMES } from './names.ts';
import { valueIfValid } from './parse.ts';
import { FORM } from './forms.ts';
import type { Store } from './store.ts';

const LEASE_SECONDS = 26 * 3_600;
const LEASE_EVERY_MS = 3_600_000;

/** What a load balancer has found out about instances, for those that come after it. What cannot be read is left out. */
export class Memories {
  readonly #store: Store;
  readonly #proxyId: string;
  /** Epoch milliseconds. */
  readonly #clock: () => number;
  readonly #lease: RollingLease;
  #latencies = new Map<string, LatencyRecord>();
  #saved = '';

  constructor(store: Store, proxyId: string, clock: () => number) {
    this.#store = store;
    this.#proxyId = proxyId;
    this.#clock = clock;
    this.#lease = new RollingLease(store, LEASE_SECONDS, LEASE_EVERY_MS);
  }

  /** The latest of each instance, whoever found it out. */
  async latencies(): Promise<LatencyRecord[]> {
    const { entries } = await this.#store.list(NAMES.latencies(''));
    const latest = new Map<string, LatencyRecord>();
    for (const record of entries.flatMap((entry) => valueIfValid(FORM.latencies, entry) ?? [])) {
      const isOlder = (latest.get(record.instanceId)?.at ?? 0) > record.at;
      if (!isOlder && record.at >= this.#clock() - FINDINGS_KEPT_MS) latest.set(record.instanceId, record);
    }
    return [...latest.values()];
  }

  async saveLatencies(records: readonly LatencyRecord[]): Promise<void> {
    const oldest = this.#clock() - FINDINGS_KEPT_MS;
    for (const { instanceId, incarnation, cost, at } of records) {
      this.#latencies.set(instanceId, { instanceId, incarnation, cost, at });
    }
    const value = [...this.#latencies.values()].filter(({ at }) => at >= oldest);
    this.#latencies = new Map(value.map((record) => [record.instanceId, record]));
    const text = JSON.stringify(value);
    if (text === this.#saved) return;
    await this.#write([{ put: NAMES.latencies(this.#proxyId), value }]);
    this.#saved = text;
  }

  async ejections(): Promise<EjectionRecord[]> {
    const { entries } = await this.#store.list(NAMES.ejection(''));
    const records = entries.flatMap((entry) => valueIfValid(FORM.ejection, entry) ?? []);
    return records.filter(({ until }) => until >= this.#clock() - EJECTION_KEPT_MS);
  }

  async saveEjections(records: readonly EjectionRecord[], over: readonly string[]): Promise<void> {
    const puts = records.map(({ instanceId, incarnation, cause, since, until, times }) => {
      const value = { instanceId, incarnation, cause, since, until, times };
      return { put: NAMES.ejection(instanceId), value };
    });
    if (puts.length > 0) await this.#write(puts);
    if (over.length > 0) await this.#store.write(over.map((id) => ({ remove: NAMES.ejection(id) })));
  }

  async #write(puts: readonly { readonly put: string; readonly value: unknown }[]): Promise<void> {
    await withLeases([this.#lease], async () => {
      const lease = await this.#lease.hold();
      await this.#store.write(puts.map((each) => ({ ...each, lease })));
    });
  }
}
