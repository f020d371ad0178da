import { signal } from '@preact/signals';
import { HeimdallApiError, type LiveMessage } from '../../client/client.ts';
import { type Connection, type Freshness, freshnessAt, waitAfter } from './connection.ts';

/** A stream that says nothing for so long is given up, and another one asked for. Milliseconds. */
const SILENCE_MS = 15_000;
/** A page that nobody has looked at for so long lets go of its stream: the manager has less to do. Milliseconds. */
const HIDDEN_MS = 60_000;
const LOOK_MS = 250;

export interface FeedOptions {
  /** The live stream; ends with the signal. */
  readonly open: (signal: AbortSignal) => AsyncIterable<LiveMessage>;
  readonly onMessage: (message: LiveMessage) => void;
  /** The manager wants another token than it was given. */
  readonly onRefused: (error: HeimdallApiError) => void;
}

/** Keeps one live stream open for as long as somebody looks. */
export class Feed {
  readonly connection = signal<Connection>('connecting');
  readonly freshness = signal<Freshness>({ kind: 'loading', ageMs: 0 });
  /** Why the last attempt failed, in words; empty while all is well. */
  readonly trouble = signal('');
  readonly #options: FeedOptions;
  #heardAt: number | null = null;
  #current = new AbortController();
  /** Let go because nobody looks. */
  #isResting = false;
  #wake = Promise.withResolvers<void>();

  constructor(options: FeedOptions) {
    this.#options = options;
    setInterval(() => this.#look(), LOOK_MS);
    document.addEventListener('visibilitychange', () => this.#visibilityChanged());
  }

  /** Begins, or begins anew: with another token. */
  restart(): void {
    this.#current.abort();
    this.#current = new AbortController();
    this.#isResting = false;
    void this.#run(this.#current.signal);
  }

  /** No more attempts until the next restart. */
  stop(): void {
    this.#current.abort();
  }

  async #run(ended: AbortSignal): Promise<void> {
    for (let failures = 0; !ended.aborted; ) {
      const before = this.#heardAt;
      await this.#listen(ended);
      if (ended.aborted) return;
      failures = this.#heardAt === before ? failures + 1 : 1;
      this.connection.value = 'lost';
      await this.#pause(waitAfter(failures, Math.random()));
    }
  }

  async #listen(ended: AbortSignal): Promise<void> {
    const silence = new AbortController();
    const watch = () => window.setTimeout(() => silence.abort(), SILENCE_MS);
    let timer = watch();
    try {
      for await (const message of this.#options.open(AbortSignal.any([ended, silence.signal]))) {
        clearTimeout(timer);
        timer = watch();
        this.#hear(message);
      }
      this.trouble.value = silence.signal.aborted ? 'the manager says nothing' : 'the stream ended';
    } catch (error) {
      if (ended.aborted) return;
      this.trouble.value = error instanceof Error ? error.message : String(error);
      if (error instanceof HeimdallApiError && error.status === 401) {
        this.stop();
        this.#options.onRefused(error);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #hear(message: LiveMessage): void {
    this.#heardAt = performance.now();
    this.connection.value = 'open';
    this.trouble.value = '';
    this.#options.onMessage(message);
    this.#look();
  }

  /** Resolves after the time, or as soon as somebody looks at the page again. */
  async #pause(ms: number): Promise<void> {
    this.#wake = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.#wake.resolve(), ms);
    await this.#wake.promise;
    clearTimeout(timer);
  }

  #look(): void {
    const next = freshnessAt(performance.now(), this.#heardAt);
    const { kind, ageMs } = this.freshness.peek();
    const isSame =
      next.kind === kind && (kind !== 'stale' || Math.floor(next.ageMs / 1_000) === Math.floor(ageMs / 1_000));
    if (!isSame) this.freshness.value = next;
  }

  #visibilityChanged(): void {
    if (document.hidden) {
      const stream = this.#current;
      setTimeout(() => {
        if (!document.hidden || stream !== this.#current || stream.signal.aborted) return;
        this.#isResting = true;
        this.stop();
        this.connection.value = 'connecting'; // whoever follows it lets go, too
      }, HIDDEN_MS);
    } else if (this.#isResting) this.restart();
    else this.#wake.resolve();
  }
}
