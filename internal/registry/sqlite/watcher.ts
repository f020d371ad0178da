import type { Logger } from '../../../pkg/logger/logger.ts';
import { messageOf } from '../../model/errors.ts';
import type { RegistryListener, Snapshot } from '../registry.ts';
import type { Connection } from './connection.ts';
import { isBusy } from './faults.ts';
import type { Handle } from './handle.ts';
import { readMeta } from './queries.ts';
import type { Snapshots } from './snapshots.ts';

const POLL_MS = 40;
/** Polls between two looks at which file the path names: about a second. */
const POLLS_PER_CHECK = 25;
/** Polls that may meet a lock before it counts as a failure: half a second. */
const PATIENT_POLLS = 12;
const RETRY_MS = 500;

interface WatcherParts {
  readonly connection: Connection;
  readonly snapshots: Snapshots;
  readonly listener: RegistryListener;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  readonly log: Logger | undefined;
}

/** Tells one listener of every new picture, by cheap polling, until the signal aborts or the connection closes. */
export class Watcher {
  readonly #connection: Connection;
  readonly #snapshots: Snapshots;
  readonly #listener: RegistryListener;
  readonly #signal: AbortSignal;
  readonly #log: Logger | undefined;
  #token = '';
  #last: Pick<Snapshot, 'registryId' | 'revision'> | null = null;
  #failing = false;
  #polls = 0;
  #timer: NodeJS.Timeout | undefined;
  #busyPolls = 0;

  constructor({ connection, snapshots, listener, signal, log }: WatcherParts) {
    this.#connection = connection;
    this.#snapshots = snapshots;
    this.#listener = listener;
    this.#signal = AbortSignal.any([signal, connection.closing]);
    this.#log = log;
  }

  /** The first picture comes soon, not before this returns. */
  start(): void {
    this.#signal.addEventListener('abort', () => clearTimeout(this.#timer), { once: true });
    this.#wait(0);
  }

  /** Holds no process. */
  #wait(delayMs: number): void {
    if (!this.#signal.aborted) this.#timer = setTimeout(() => this.#run(), delayMs).unref();
  }

  #run(): void {
    this.#poll();
    this.#wait(this.#failing ? RETRY_MS : POLL_MS);
  }

  #poll(): void {
    try {
      const due = this.#polls++ % POLLS_PER_CHECK === 0;
      if (due || this.#failing || !this.#connection.isOpen) this.#connection.ensure();
      const picture = this.#connection.use((handle) => this.#newPicture(handle));
      this.#busyPolls = 0;
      if (picture) this.#delivered(picture);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Null when there is nothing new. */
  #newPicture(handle: Handle): Snapshot | null {
    const token = this.#connection.token(handle);
    if (token === this.#token && !this.#failing) return null;
    const picture = handle.db
      .transaction(() => (this.#isNews(handle) ? this.#snapshots.read(handle) : null))
      .deferred();
    this.#token = token; // taken before the reading: a commit in between is only looked at twice
    return picture;
  }

  #isNews(handle: Handle): boolean {
    if (this.#failing) return true;
    const { registryId, revision } = readMeta(handle);
    return registryId !== this.#last?.registryId || revision !== this.#last.revision;
  }

  #delivered(picture: Snapshot): void {
    this.#failing = false;
    this.#last = picture;
    this.#tell(() => this.#listener.changed(picture));
  }

  #failed(error: unknown): void {
    if (this.#failing) return;
    if (isBusy(error) && ++this.#busyPolls < PATIENT_POLLS) return;
    this.#busyPolls = 0;
    this.#failing = true;
    this.#tell(() => this.#listener.failed(error instanceof Error ? error : new Error(messageOf(error))));
  }

  /** A listener that throws has a defect of its own: the watch goes on. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#log?.error({ err: error }, 'a listener of the registry failed');
    }
  }
}
