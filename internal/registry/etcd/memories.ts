import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { EjectionRecord } from '../../model/ejection.ts';
import { EJECTION_KEPT_MS, FINDINGS_KEPT_MS } from '../kept-for.ts';
import type { LatencyRecord } from '../registry.ts';
import { RollingLease, withLeases } from './leases.ts';
import { NAMES } from './names.ts';
import { valueIfValid } from './parse.ts';
import { FORM } from './forms.ts';
import type { Entry, Store } from './store.ts';

const LEASE_SECONDS = 26 * 3_600;
const LEASE_EVERY_MS = 3_600_000;
/** What latencies may take on average: etcd keeps all that was ever written until it is compacted. */
const BYTES_PER_MS = 4;
/** What they may take at once was saved up in this time. */
const SAVED_UP_MS = 15_000;

/** What a load balancer has found out about instances, for those that come after it. What cannot be read is left out. */
export class Memories {
  readonly #store: Store;
  readonly #proxyId: string;
  /** Epoch milliseconds. */
  readonly #clock: () => number;
  readonly #lease: RollingLease;
  #latencies = new Map<string, LatencyRecord>();
  /** What was written last, and what was to be written. */
  #saved = '';
  #unsaved = '';
  /** When what was written is made up for; `performance.now()`. */
  #evenAt = 0;

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
    const kept = await Promise.all(entries.map(unpacked));
    for (const record of kept.flat()) {
      const isOlder = (latest.get(record.instanceId)?.at ?? 0) > record.at;
      if (!isOlder && record.at >= this.#clock() - FINDINGS_KEPT_MS) latest.set(record.instanceId, record);
    }
    return [...latest.values()];
  }

  /** Not more often than its size allows; `flush` writes what waits for that. */
  async saveLatencies(records: readonly LatencyRecord[]): Promise<void> {
    const oldest = this.#clock() - FINDINGS_KEPT_MS;
    for (const { instanceId, incarnation, cost, at } of records) {
      this.#latencies.set(instanceId, { instanceId, incarnation, cost, at });
    }
    const value = [...this.#latencies.values()].filter(({ at }) => at >= oldest);
    this.#latencies = new Map(value.map((record) => [record.instanceId, record]));
    this.#unsaved = JSON.stringify(value);
    if (this.#evenAt - performance.now() < SAVED_UP_MS) await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#unsaved;
    if (text === this.#saved) return;
    const value = (await promisify(gzip)(text)).toString('base64');
    await this.#write([{ put: NAMES.latencies(this.#proxyId), value }]);
    this.#saved = text;
    this.#evenAt = Math.max(this.#evenAt, performance.now()) + value.length / BYTES_PER_MS;
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

/** What cannot be read is worth nothing. */
async function unpacked(entry: Entry): Promise<LatencyRecord[]> {
  const packed = valueIfValid(FORM.text, entry);
  if (packed === undefined) return [];
  try {
    const text = (await promisify(gunzip)(Buffer.from(packed, 'base64'))).toString();
    return valueIfValid(FORM.latencies, { ...entry, value: text }) ?? [];
  } catch {
    return [];
  }
}
