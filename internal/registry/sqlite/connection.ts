import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../../pkg/logger/logger.ts';
import { HeimdallError, messageOf } from '../../model/errors.ts';
import { faultOf, gone, isBusy, isFatal } from './faults.ts';
import { stampOfSync } from './file-stamp.ts';
import { Handle } from './handle.ts';

const FIRST_RETRY_MS = 5;
const LONGEST_RETRY_MS = 50;

interface ConnectionOptions {
  readonly path: string;
  /** For how long an operation that meets a lock is tried again before it rejects, in milliseconds. */
  readonly patience: number;
  /** See `HandleOptions`. */
  readonly checkpointPages: number;
  readonly log?: Logger | undefined;
  /** Whether a missing file is made; true by default. */
  readonly creates?: boolean;
}

/**
 * The registry's file, opened when first needed and again whenever another file has taken its place. The file is made
 * only before the first success: one that vanishes later was moved away, and an empty one must not pass for it.
 * No call ever waits for a lock while holding the event loop.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #closing = new AbortController();
  #handle: Handle | null = null;
  /** How often the file was opened. */
  #generation = 0;
  #commits = 0;
  /** Operations run one after the other, in the order of their calls. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get path(): string {
    return this.#options.path;
  }

  get isOpen(): boolean {
    return this.#handle !== null;
  }

  /** Aborted by `close`. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** One consistent reading. @throws {HeimdallError} REGISTRY_UNAVAILABLE, REGISTRY_BROKEN. */
  read<T>(work: (handle: Handle) => T): Promise<T> {
    return this.#enqueue((handle) => handle.db.transaction(() => work(handle)).deferred());
  }

  /** One write transaction; what `work` throws rolls it back. @throws {HeimdallError} REGISTRY_UNAVAILABLE, REGISTRY_BROKEN. */
  write<T>(work: (handle: Handle) => T): Promise<T> {
    return this.#enqueue((handle) => {
      const result = handle.db.transaction(() => work(handle)).immediate();
      this.#commits += 1;
      return result;
    });
  }

  /** Changes with every commit, of this connection or any other, and with every opening of the file. */
  token(handle: Handle): string {
    return `${this.#generation}:${this.#commits}:${JSON.stringify(handle.get('PRAGMA data_version'))}`;
  }

  /**
   * Opens the file if need be, and opens it anew when the path names another one. Does not try again.
   * @throws {HeimdallError} REGISTRY_UNAVAILABLE, REGISTRY_BROKEN.
   */
  ensure(): void {
    const { path } = this.#options;
    try {
      if (this.#closing.signal.aborted) throw closed(path);
      const main = stampOfSync(path); // microseconds, of which a trip to the thread pool takes a hundred
      const wal = stampOfSync(`${path}-wal`);
      if (this.#handle && !this.#handle.owns(main, wal)) this.#drop('the file was moved, deleted or replaced');
      if (this.#handle && main) this.use((handle) => handle.reread(main));
      else this.#open(main !== null);
    } catch (error) {
      throw faultOf(error, path);
    }
  }

  /** Works on the open file in the same tick. @throws {HeimdallError} REGISTRY_UNAVAILABLE when it is not open. */
  use<T>(work: (handle: Handle) => T): T {
    if (!this.#handle) throw gone(this.path);
    try {
      return work(this.#handle);
    } catch (error) {
      if (isFatal(error)) this.#drop(messageOf(error));
      throw faultOf(error, this.path);
    }
  }

  /** Waits for the operations under way; later ones reject with REGISTRY_UNAVAILABLE. */
  async close(): Promise<void> {
    await this.#tail;
    this.#closing.abort();
    this.#handle?.close();
    this.#handle = null;
  }

  #enqueue<T>(work: (handle: Handle) => T): Promise<T> {
    const result = this.#tail.then(() => this.#attempt(work));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #attempt<T>(work: (handle: Handle) => T): Promise<T> {
    let delay = FIRST_RETRY_MS;
    for (let waited = 0; ; waited += delay, delay = Math.min(delay * 2, LONGEST_RETRY_MS)) {
      try {
        this.ensure();
        return this.use(work);
      } catch (error) {
        if (!isBusy(error) || waited >= this.#options.patience) throw error;
      }
      await sleep(delay);
    }
  }

  #open(exists: boolean): void {
    const { path, checkpointPages, log, creates = true } = this.#options;
    const create = creates && this.#generation === 0;
    if (!exists && !create) throw gone(path);
    this.#handle = new Handle({ path, create, checkpointPages });
    this.#generation += 1;
    log?.debug({ path }, this.#generation === 1 ? 'registry opened' : 'registry opened again');
  }

  #drop(reason: string): void {
    this.#options.log?.warn({ path: this.path, reason }, 'registry lost');
    this.#handle?.close();
    this.#handle = null;
  }
}

function closed(path: string): HeimdallError {
  return new HeimdallError('REGISTRY_UNAVAILABLE', `The registry ${path} was closed.`, { path });
}
