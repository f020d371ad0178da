import type { Logger } from '../../../pkg/logger/logger.ts';
import type { StoredEvent } from '../../model/event.ts';
import type { Health, HealthRecord } from '../../model/health.ts';
import {
  type EventQuery,
  HEARTBEAT_LIMIT_MS,
  type ManagerRecord,
  type ProxyRecord,
  type RegistryListener,
  type RegistryReader,
  type Snapshot,
} from '../registry.ts';
import { readEvents } from './events.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import { valueOf } from './parse.ts';
import { Pictures } from './picture.ts';
import { FORM } from './forms.ts';
import type { Store } from './store.ts';
import { Watcher } from './watcher.ts';

export interface ReaderOptions {
  readonly store: Store;
  readonly mirror: Mirror;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly log: Logger | undefined;
}

/** What both sides can read of the registry in etcd. */
export class EtcdReader implements RegistryReader {
  protected readonly store: Store;
  protected readonly mirror: Mirror;
  protected readonly clock: () => number;
  protected readonly log: Logger | undefined;
  protected readonly pictures: Pictures;
  /** Since when load balancers are known to be silent, by id; epoch milliseconds. */
  readonly #silentSince = new Map<string, number>();
  /** Calls under way. */
  readonly #open = new Set<Promise<unknown>>();

  constructor({ store, mirror, clock, log }: ReaderOptions) {
    this.store = store;
    this.mirror = mirror;
    this.clock = clock;
    this.log = log;
    this.pictures = new Pictures(mirror);
  }

  async snapshot(): Promise<Snapshot> {
    await this.mirror.ready();
    return this.pictures.all();
  }

  watch(listener: RegistryListener, signal: AbortSignal): void {
    new Watcher(this.mirror, this.pictures, listener, signal, this.log).start();
  }

  async health(only?: Health): Promise<HealthRecord[]> {
    await this.mirror.ready();
    const records = Array.from(this.mirror.all('health').values(), (entry) => {
      const { savedAt: _, ...record } = valueOf(FORM.health, entry);
      return record;
    });
    const wanted = records.filter(({ health }) => only === undefined || health === only);
    return wanted.toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  }

  /** The one that has been there for the longest comes first; how long that is etcd says, not a clock. */
  async proxies(): Promise<ProxyRecord[]> {
    await this.mirror.ready();
    const now = this.clock();
    const found = Array.from(this.mirror.all('proxies').values(), (entry) => {
      const { id, pid, node, startedAt, appliedRevision, inFlight } = valueOf(FORM.proxy, entry);
      const present = this.mirror.get(NAMES.present(id));
      const heartbeatAt = this.#heardAt(id, present !== null, now);
      const told = { id, pid, node, startedAt, appliedRevision };
      const record = { ...told, heartbeatAt, inFlight: new Map(Object.entries(inFlight)) };
      return { record, since: present?.created ?? Number.POSITIVE_INFINITY };
    });
    const sorted = found.toSorted((a, b) =>
      a.since === b.since ? (a.record.id < b.record.id ? -1 : 1) : a.since - b.since,
    );
    return sorted.map(({ record }) => record);
  }

  async manager(): Promise<ManagerRecord | null> {
    await this.mirror.ready();
    const [first] = [...this.mirror.all('managers').values()].toSorted((a, b) => a.created - b.created);
    if (first === undefined) return null;
    const { pid, startedAt } = valueOf(FORM.manager, first);
    return { pid, startedAt, heartbeatAt: this.clock() };
  }

  events(query: EventQuery): Promise<StoredEvent[]> {
    return this.during(readEvents(this.store, query));
  }

  /** Resolves when all up to the revision is in what this side reads. */
  reach(revision: number): Promise<void> {
    return this.mirror.reach(revision);
  }

  async close(): Promise<void> {
    await this.settled();
    await this.store.close();
    await this.mirror.end();
  }

  /** Resolves when the calls under way are over. */
  protected async settled(): Promise<void> {
    await Promise.allSettled(this.#open);
  }

  /** Work that is waited for when this side is closed. */
  protected during<T>(work: Promise<T>): Promise<T> {
    const over = work.catch(() => undefined).finally(() => this.#open.delete(over));
    this.#open.add(over);
    return work;
  }

  /** Of one that is silent: a lease before it was found to be so. */
  #heardAt(id: string, isPresent: boolean, now: number): number {
    if (isPresent) {
      this.#silentSince.delete(id);
      return now;
    }
    const since = this.#silentSince.get(id) ?? now;
    this.#silentSince.set(id, since);
    return since - HEARTBEAT_LIMIT_MS - 1;
  }
}
