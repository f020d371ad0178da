import type { Logger } from '../../../pkg/logger/logger.ts';
import type { StoredEvent } from '../../model/event.ts';
import type { Health, HealthRecord } from '../../model/health.ts';
import {
  type EventQuery,
  type ManagerRecord,
  type ProxyRecord,
  type RegistryListener,
  type RegistryReader,
  type Snapshot,
} from '../registry.ts';
import { readEvents } from './events.ts';
import { Instances } from './instances.ts';
import type { Mirror } from './mirror.ts';
import { valueOf } from './parse.ts';
import { Pictures } from './picture.ts';
import { FORM } from './forms.ts';
import { proxiesOf, Silence } from './proxies.ts';
import type { Entry, Store } from './store.ts';
import { Watcher } from './watcher.ts';

export interface ReaderOptions {
  readonly store: Store;
  readonly mirror: Mirror;
  /** Of `told/`; null: that is read when somebody asks for it. */
  readonly told: Mirror | null;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly log: Logger | undefined;
}

/** What both sides can read of the registry in etcd. */
export class EtcdReader implements RegistryReader {
  protected readonly store: Store;
  protected readonly mirror: Mirror;
  readonly #told: Mirror | null;
  protected readonly clock: () => number;
  protected readonly log: Logger | undefined;
  protected readonly instances: Instances;
  protected readonly pictures: Pictures;
  readonly #silence = new Silence();
  /** Calls under way. */
  readonly #open = new Set<Promise<unknown>>();

  constructor({ store, mirror, told, clock, log }: ReaderOptions) {
    this.store = store;
    this.mirror = mirror;
    this.#told = told;
    this.clock = clock;
    this.log = log;
    this.instances = new Instances(mirror);
    this.pictures = new Pictures(mirror, this.instances);
  }

  async snapshot(): Promise<Snapshot> {
    await this.mirror.ready();
    return this.pictures.all();
  }

  watch(listener: RegistryListener, signal: AbortSignal): void {
    new Watcher(this.mirror, this.pictures, listener, signal, this.log).start();
  }

  async health(only?: Health): Promise<HealthRecord[]> {
    const records = Array.from(await this.told('health'), (entry) => {
      const { savedAt: _, ...record } = valueOf(FORM.health, entry);
      return record;
    });
    const wanted = records.filter(({ health }) => only === undefined || health === only);
    return wanted.toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  }

  async proxies(): Promise<ProxyRecord[]> {
    return proxiesOf(await this.told('proxies'), this.mirror.all('present').values(), this.clock(), this.#silence);
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
  async reach(revision: number): Promise<void> {
    await Promise.all([this.mirror.reach(revision), this.#told?.reach(revision)]);
  }

  async close(): Promise<void> {
    await this.settled();
    await this.store.close();
    await Promise.all([this.mirror.end(), this.#told?.end()]);
  }

  /** What load balancers have told. */
  protected async told(kind: 'health' | 'proxies'): Promise<Iterable<Entry>> {
    await this.mirror.ready();
    if (this.#told === null) return (await this.store.list(`told/${kind}/`)).entries;
    await this.#told.ready();
    return this.#told.all(kind).values();
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
}
