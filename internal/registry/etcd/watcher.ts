import type { Logger } from '../../../pkg/logger/logger.ts';
import { messageOf } from '../../model/errors.ts';
import type { RegistryListener } from '../registry.ts';
import type { Mirror } from './mirror.ts';
import { PICTURED, type Pictures } from './picture.ts';

/** Between two pictures, in milliseconds: what changes once is told at once, a storm of changes in some of them. */
const PAUSE_MS = 40;

/** Tells one listener of every new picture until the signal aborts or the store is closed. */
export class Watcher {
  readonly #mirror: Mirror;
  readonly #pictures: Pictures;
  readonly #listener: RegistryListener;
  readonly #signal: AbortSignal;
  readonly #log: Logger | undefined;
  /** What the last picture was of. */
  #token = '';
  #isFailing = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    mirror: Mirror,
    pictures: Pictures,
    listener: RegistryListener,
    signal: AbortSignal,
    log: Logger | undefined,
  ) {
    this.#mirror = mirror;
    this.#pictures = pictures;
    this.#listener = listener;
    this.#signal = signal;
    this.#log = log;
  }

  start(): void {
    const listener = {
      changed: (kinds: ReadonlySet<string>) => {
        if (this.#isFailing || PICTURED.some((kind) => kinds.has(kind)))
          this.#soon(this.#toldAt + PAUSE_MS - performance.now());
      },
      failed: (error: Error) => this.#failed(error),
    };
    this.#mirror.listen(listener, this.#signal);
    this.#signal.addEventListener('abort', () => this.#cancel(), { once: true });
  }

  #soon(delayMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (delayMs <= 0) this.#look();
    else this.#timer = setTimeout(() => this.#look(), delayMs).unref();
  }

  #cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    this.#timer = null;
    if (this.#signal.aborted || this.#mirror.isFailing) return;
    if (this.#pictures.registryId === '') return; // all was deleted: a new one is being made
    try {
      this.#pictures.check();
      const { token } = this.#pictures;
      const isNews = token !== this.#token || this.#isFailing;
      const picture = isNews ? this.#pictures.all() : null;
      this.#token = token;
      this.#isFailing = false;
      this.#toldAt = performance.now();
      if (picture !== null) this.#tell(() => this.#listener.changed(picture));
    } catch (error) {
      this.#failed(error);
    }
    const { grace } = this.#pictures;
    if (grace > 0) this.#soon(grace + 1); // whoever is away still counts as such then
  }

  #failed(error: unknown): void {
    this.#cancel();
    if (this.#isFailing) return;
    this.#isFailing = true;
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
