import type { Logger } from '../../../pkg/logger/logger.ts';
import { type HeimdallError, messageOf } from '../../model/errors.ts';
import { closed, faultOf } from './faults.ts';
import { Keys } from './keys.ts';
import { pauseFor } from './members.ts';
import { NAMES } from './names.ts';
import { ensureId } from './registry-id.ts';
import type { Entry, Outcome, Store } from './store.ts';
import { Waiting } from './waiting.ts';
import { Compacted, follow, type WatchMessage } from './watch-stream.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
/** So many keys are read at a time. */
const PAGE = 2_000;
/** For so long after the beginning it is remembered what was taken away. */
const GONE_KNOWN_MS = 60_000;

export interface MirrorListener {
  /** Called with the first picture, after every revision with changes, and when the store can be read again. @param kinds - see `Mirror.all`. */
  changed(kinds: ReadonlySet<string>): void;
  /** Called once when the store cannot be read any more. */
  failed(error: HeimdallError): void;
}

interface MirrorOptions {
  readonly store: Store;
  /** How the names begin that it has. */
  readonly beginning: string;
  readonly log: Logger | undefined;
}

/**
 * What begins with one name, as it was in the latest revision that is known: read once, then followed by a watch. All
 * changes of one revision show at the same time. When the store is out of reach for longer than an answer may take, what
 * is at hand is not given out any more; whoever was given it goes on with it.
 */
export class Mirror {
  readonly #store: Store;
  readonly #beginning: string;
  readonly #log: Logger | undefined;
  readonly #listeners = new Set<MirrorListener>();
  readonly #waiting = new Waiting();
  readonly #keys: Keys;
  #revision = 0;
  /** Of the registry: another one may have taken its place. */
  #id: string | undefined;
  #isLoaded = false;
  #isLive = false;
  #failure: HeimdallError | null = null;
  #patience: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #settledAt = 0;
  #losses = 0;
  #lastError: HeimdallError | null = null;

  constructor({ store, beginning, log }: MirrorOptions) {
    this.#store = store;
    this.#beginning = beginning;
    this.#keys = new Keys(beginning);
    this.#log = log;
  }

  /** The latest that is known. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * When it was first read, or could be read again after a time in which others may have been out of reach, too;
   * `performance.now()`.
   */
  get settledAt(): number {
    return this.#settledAt;
  }

  /** Whether it had been out of reach before that. */
  get wasLost(): boolean {
    return this.#losses > 0;
  }

  get isFailing(): boolean {
    return this.#failure !== null;
  }

  /** Resolves when there is a picture. @throws {HeimdallError} REGISTRY_UNAVAILABLE when there is none, or it is too old. */
  async ready(): Promise<void> {
    this.#run();
    await this.#until(() => this.#isLoaded && this.#failure === null);
  }

  /** Resolves when everything up to the revision is in the picture. @throws {HeimdallError} REGISTRY_UNAVAILABLE. */
  async reach(revision: number): Promise<void> {
    this.#run();
    await this.#until(() => this.#isLoaded && this.#revision >= revision && this.#failure === null);
  }

  /**
   * Resolves when a commit that was not carried out would be planned otherwise: what it found shows here, or something newer;
   * what it found may be gone again by then.
   * @throws {HeimdallError} REGISTRY_UNAVAILABLE.
   */
  async agree({ found, revision }: Pick<Outcome, 'found' | 'revision'>): Promise<void> {
    const ours = [...found].filter(([name]) => this.#keys.has(name));
    const shows = ([name, modified]: [string, number]): boolean => {
      const here = this.get(name)?.modified ?? 0;
      return modified === 0 ? here === 0 || here > revision : here >= modified;
    };
    const isNewer = (): boolean => this.#revision >= revision || ours.every(shows);
    await this.#until(() => this.#isLoaded && this.#failure === null && isNewer());
  }

  /** Those whose names go on with the kind, such as `instances`. */
  all(kind: string): ReadonlyMap<string, Entry> {
    return this.#keys.all(kind);
  }

  kinds(): Iterable<string> {
    return this.#keys.kinds();
  }

  get(name: string): Entry | null {
    return this.#keys.get(name);
  }

  /** See `Keys.noteOf`. */
  noteOf(kind: string): Set<string> {
    return this.#keys.noteOf(kind);
  }

  /** Whether a name was there, and was taken away, since `settledAt`. */
  hasSeenGo(name: string): boolean {
    return this.#keys.hasSeenGo(name);
  }

  /** Ends with the signal, or when the store is closed. */
  listen(listener: MirrorListener, signal: AbortSignal): void {
    if (signal.aborted || this.#store.members.closing.aborted) return;
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
    if (this.#failure !== null)
      this.#tell(() => listener.failed(this.#failure ?? closed(this.#store.members.name)), listener);
    else if (this.#isLoaded) this.#tell(() => listener.changed(new Set(this.#keys.kinds())), listener);
    this.#run();
  }

  /** Resolves when nothing is followed any more; the store must have been closed. */
  async end(): Promise<void> {
    this.#listeners.clear();
    await this.#running;
  }

  #run(): void {
    this.#running ??= this.#follow();
  }

  async #follow(): Promise<void> {
    const { closing, name } = this.#store.members;
    let pause = FIRST_PAUSE_MS;
    this.#lost(null);
    while (!closing.aborted) {
      try {
        await this.#open();
        if (closing.aborted) break;
        const following = follow({
          store: this.#store,
          beginning: this.#beginning,
          fromRevision: this.#revision + 1,
          signal: closing,
          onMessage: (message) => {
            pause = FIRST_PAUSE_MS;
            this.#take(message);
          },
        });
        await following;
      } catch (error) {
        if (closing.aborted) break;
        if (error instanceof Compacted) this.#isLoaded = false;
        this.#log?.debug({ reason: messageOf(error) }, 'the registry is not watched; trying again');
        this.#lost(faultOf(error, name));
        await pauseFor(pause * (0.5 + Math.random() / 2), closing);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
    if (this.#patience !== null) clearTimeout(this.#patience);
    this.#failure = closed(name);
    this.#waiting.fail(this.#failure);
  }

  /** Reads everything, unless what is at hand is of this store and can be gone on with. */
  async #open(): Promise<void> {
    if (this.#isLoaded) {
      const { revision, entry } = await this.#store.get(NAMES.id);
      if (revision < this.#revision || entry?.value !== this.#id) this.#isLoaded = false;
    }
    if (!this.#isLoaded) {
      await ensureId(this.#store);
      await this.#load();
    }
  }

  async #load(): Promise<void> {
    const entries: Entry[] = [];
    let from = this.#beginning;
    let revision = 0;
    const id = (await this.#store.get(NAMES.id)).entry?.value;
    for (;;) {
      const page = await this.#store.list(this.#beginning, { from, limit: PAGE, revision });
      if (revision === 0) revision = page.revision;
      entries.push(...page.entries);
      const last = page.entries.at(-1);
      if (!page.more || last === undefined) break;
      from = `${last.name}\0`;
    }
    const kinds = this.#keys.replace(entries);
    this.#revision = revision;
    this.#id = id;
    this.#isLoaded = true;
    this.#changed(kinds);
  }

  #take(message: WatchMessage): void {
    if (message.created) this.#found();
    const kinds = new Set<string>();
    for (const { entry, removed } of this.#store.changesOf(message)) {
      kinds.add(removed ? this.#keys.remove(entry.name) : this.#keys.put(entry));
      this.#revision = Math.max(this.#revision, entry.modified);
      if (removed && entry.name === NAMES.id) void ensureId(this.#store).catch(() => undefined); // all was deleted
    }
    // for a while after the beginning it matters what was there; later, what is not is gone
    if (performance.now() - this.#settledAt > GONE_KNOWN_MS) this.#keys.forgetGone();
    if (kinds.size > 0) this.#changed(kinds);
  }

  /** It is followed. */
  #found(): void {
    if (this.#patience !== null) clearTimeout(this.#patience);
    this.#patience = null;
    if (this.#settledAt === 0 || this.#failure !== null) {
      this.#settledAt = performance.now();
      this.#keys.forgetGone();
    }
    this.#isLive = true;
    if (this.#failure === null) return;
    this.#failure = null;
    this.#losses += 1;
    this.#log?.info({ part: this.#beginning }, 'the registry can be read again');
    this.#changed(new Set(this.#keys.kinds()));
  }

  /** Whether that is a failure shows when it was not found again in time. */
  #lost(error: HeimdallError | null): void {
    this.#isLive = false;
    this.#lastError = error ?? this.#lastError;
    if (this.#failure !== null) this.#failure = error ?? this.#failure;
    if (this.#failure !== null || this.#patience !== null) return;
    this.#patience = setTimeout(() => this.#fail(), this.#store.members.patience).unref();
  }

  #fail(): void {
    this.#patience = null;
    if (this.#isLive) return;
    const { name } = this.#store.members;
    const failure = this.#lastError ?? faultOf(new Error('no member answers'), name);
    this.#failure = failure;
    this.#log?.warn({ reason: failure.message, part: this.#beginning }, 'the registry cannot be read');
    this.#waiting.fail(failure);
    for (const listener of this.#listeners) this.#tell(() => listener.failed(failure), listener);
  }

  #changed(kinds: ReadonlySet<string>): void {
    this.#waiting.look();
    if (this.#failure !== null) return;
    for (const listener of this.#listeners) this.#tell(() => listener.changed(kinds), listener);
  }

  async #until(isDone: () => boolean): Promise<void> {
    if (isDone()) return;
    if (this.#failure !== null) throw this.#failure;
    const { members } = this.#store;
    const late = () => faultOf(new Error('no member tells of the latest changes'), members.name);
    await this.#waiting.until(isDone, members.patience * 2, late);
  }

  /** A listener that throws has a defect of its own: the others are told all the same. Never in the middle of a call. */
  #tell(call: () => void, listener: MirrorListener): void {
    queueMicrotask(() => {
      if (!this.#listeners.has(listener)) return;
      try {
        call();
      } catch (error) {
        this.#log?.error({ err: error }, 'a listener of the registry failed');
      }
    });
  }
}
