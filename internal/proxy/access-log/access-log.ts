import type { LineBatch } from './line-collector.ts';
import { LogFile, type Rotation } from './log-file.ts';
import type { LineOutput } from './line-output.ts';
import { StandardOutput } from './standard-output.ts';

export interface OutputSettings {
  /** `stdout`, or the absolute path of a file. */
  readonly output: string;
  /** Of a file; null: it is left to others. */
  readonly rotation: Rotation | null;
}

/** Hears of an output that does not take what it should. */
export interface AccessLogWatcher {
  /** Lines are dropped; told once. @param output - as configured. */
  failing(cause: string, output: string): void;
  /** It takes them again, or is not wanted any more. @param dropped - how many it did not take. */
  recovered(dropped: number): void;
}

export interface AccessLogCounts {
  readonly lines: number;
  readonly dropped: number;
}

/** It takes lines again when it has dropped none for so long, in milliseconds. */
const CALM_MS = 10_000;
/** How long the end may take, in milliseconds: an output may hang for ever. */
const CLOSE_MS = 2_000;

/**
 * The one writer of the lines of all threads: one batch at a time, in the order in which they come. Each thread bounds what it sends on and
 * was not written yet, see `LineCollector`, so that an output which is slow or hangs takes no more memory than that.
 */
export class AccessLog {
  readonly #watcher: AccessLogWatcher;
  readonly #now: () => number;
  #settings: OutputSettings | null = null;
  #output: LineOutput | null = null;
  #work: Promise<void> = Promise.resolve();
  #lines = 0;
  #dropped = 0;
  /** While it drops lines: how many there were before, and when the last one was. */
  #trouble: { readonly before: number; lastAt: number } | null = null;

  /** @param now - milliseconds of a monotonic clock. */
  constructor(watcher: AccessLogWatcher, now: () => number) {
    this.#watcher = watcher;
    this.#now = now;
  }

  get counts(): AccessLogCounts {
    return { lines: this.#lines, dropped: this.#dropped };
  }

  /** Where the batches that come from now on go; null: nowhere, and nobody needs to mend the one before. */
  configure(settings: OutputSettings | null): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    this.#next(() => this.#turnTo(settings));
    if (settings === null) this.#recovers();
  }

  /** @param done - is given the memory of the batch when it is under way no more. */
  take({ octets, lines, dropped }: LineBatch, done: (memory: SharedArrayBuffer) => void): void {
    if (dropped > 0) this.#drops(dropped, 'it does not take lines as fast as they come');
    if (octets === null) return;
    this.#next(async () => {
      try {
        await this.#write(octets, lines);
      } finally {
        done(octets.buffer);
      }
    });
  }

  /** Resolves when all that was taken is written, or it takes too long. */
  async close(): Promise<void> {
    this.#next(() => this.#turnTo(null));
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, CLOSE_MS);
    await Promise.race([this.#work, late]);
    clearTimeout(timer);
  }

  #next(job: () => Promise<void>): void {
    this.#work = this.#work.then(job).catch(() => {}); // a file that cannot be closed has been written all the same
  }

  async #turnTo(settings: OutputSettings | null): Promise<void> {
    await this.#output?.close();
    this.#output = settings === null ? null : this.#open(settings);
  }

  #open({ output, rotation }: OutputSettings): LineOutput {
    return output === 'stdout' ? new StandardOutput() : new LogFile(output, rotation, this.#now);
  }

  async #write(octets: Uint8Array, lines: number): Promise<void> {
    if (this.#output === null) return;
    try {
      await this.#output.write(octets);
      this.#lines += lines;
      this.#calms();
    } catch (error) {
      this.#drops(lines, error instanceof Error ? error.message : String(error));
    }
  }

  #drops(lines: number, cause: string): void {
    const before = this.#dropped;
    this.#dropped += lines;
    if (this.#settings === null) return; // of an output that nobody wants any more
    if (this.#trouble === null) this.#watcher.failing(cause, this.#settings.output);
    this.#trouble ??= { before, lastAt: 0 };
    this.#trouble.lastAt = this.#now();
  }

  #calms(): void {
    if (this.#trouble !== null && this.#now() - this.#trouble.lastAt >= CALM_MS) this.#recovers();
  }

  #recovers(): void {
    if (this.#trouble !== null) this.#watcher.recovered(this.#dropped - this.#trouble.before);
    this.#trouble = null;
  }
}
