import { resolve } from 'node:path';
import { HeimdallError } from '../../model/errors.ts';
import type { CopySource } from '../copy-ends.ts';
import type { Kept } from '../kept.ts';
import { isAlive } from '../registry.ts';
import { Connection } from './connection.ts';
import { readKept } from './kept.ts';
import { acquireManagerLock, type ManagerLock } from './manager-lock.ts';
import { readManager, readProxies } from './queries.ts';
import { NEWEST_SCHEMA, readRegistryFile } from './registry-file.ts';

const PATIENCE_MS = 2_000;
const CHECKPOINT_PAGES = 8_000;

/** A registry's file that is copied. Nothing in it is changed. */
export class SqliteSource implements CopySource {
  readonly name: string;
  readonly #connection: Connection;
  /** Epoch milliseconds. */
  readonly #clock: () => number;
  #lock: ManagerLock | null = null;

  private constructor(path: string, clock: () => number) {
    this.name = path;
    this.#clock = clock;
    this.#connection = new Connection({
      path,
      patience: PATIENCE_MS,
      checkpointPages: CHECKPOINT_PAGES,
      creates: false,
    });
  }

  /** @throws {HeimdallError} REGISTRY_UNAVAILABLE when there is none; REGISTRY_BROKEN when it is damaged, or not of this version. */
  static async open(given: string, clock: () => number): Promise<SqliteSource> {
    const path = resolve(given);
    const { flaw, content } = readRegistryFile(path);
    if (flaw !== null) throw new HeimdallError('REGISTRY_BROKEN', `${path} cannot be copied: it ${flaw}.`, { path });
    if (content !== null && content.schema < NEWEST_SCHEMA) {
      const message =
        `${path} was made by an older heimdall (its schema is ${content.schema}, this one's ${NEWEST_SCHEMA}). ` +
        'Start this heimdall on it once, which brings it up to date; then copy it.';
      throw new HeimdallError('REGISTRY_BROKEN', message, { path });
    }
    return new SqliteSource(path, clock);
  }

  users(): ReturnType<CopySource['users']> {
    const now = this.#clock();
    return this.#connection.read((handle) => {
      const manager = readManager(handle);
      const proxies = readProxies(handle).filter((proxy) => isAlive(proxy, now));
      return { manager: manager && isAlive(manager, now) ? manager.pid : null, proxies: proxies.map(({ pid }) => pid) };
    });
  }

  async hold(): Promise<void> {
    this.#lock ??= await acquireManagerLock(this.name);
  }

  read(): Promise<Kept> {
    return this.#connection.read((handle) => readKept(handle, this.#clock()));
  }

  async close(): Promise<void> {
    await this.#connection.close();
    this.#lock?.release();
  }
}
