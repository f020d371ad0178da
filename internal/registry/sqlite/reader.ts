import type { Logger } from '../../../pkg/logger/logger.ts';
import type { StoredEvent } from '../../model/event.ts';
import type { Health, HealthRecord } from '../../model/health.ts';
import {
  type EventQuery,
  isAlive,
  type ManagerRecord,
  type ProxyRecord,
  type RegistryListener,
  type RegistryReader,
  type Snapshot,
} from '../registry.ts';
import type { Connection } from './connection.ts';
import { readEvents, readHealth, readManager, readProxies } from './queries.ts';
import { Snapshots } from './snapshots.ts';
import { Watcher } from './watcher.ts';

export interface ReaderOptions {
  readonly connection: Connection;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly log: Logger | undefined;
}

/** What both sides can read of the SQLite registry. */
export class SqliteReader implements RegistryReader {
  protected readonly connection: Connection;
  protected readonly clock: () => number;
  readonly #log: Logger | undefined;
  readonly #snapshots = new Snapshots();

  constructor({ connection, clock, log }: ReaderOptions) {
    this.connection = connection;
    this.clock = clock;
    this.#log = log;
  }

  snapshot(): Promise<Snapshot> {
    return this.connection.read((handle) => this.#snapshots.read(handle));
  }

  watch(listener: RegistryListener, signal: AbortSignal): void {
    const { connection } = this;
    new Watcher({ connection, snapshots: this.#snapshots, listener, signal, log: this.#log }).start();
  }

  health(only?: Health): Promise<HealthRecord[]> {
    return this.connection.read((handle) => readHealth(handle, only ?? null));
  }

  proxies(): Promise<ProxyRecord[]> {
    return this.connection.read(readProxies);
  }

  async manager(): Promise<ManagerRecord | null> {
    const manager = await this.connection.read(readManager);
    return manager && isAlive(manager, this.clock()) ? manager : null;
  }

  events(query: EventQuery): Promise<StoredEvent[]> {
    return this.connection.read((handle) => readEvents(handle, query));
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}
