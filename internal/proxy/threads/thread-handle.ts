import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FromThread, ThreadStart, ToThread } from './messages.ts';

/** What a thread runs: beside this file, in whichever form that is here, as source or built. */
export const THREAD_ENTRY = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url);

export interface ThreadEvents {
  received(message: FromThread, from: ThreadHandle): void;
  /** It ended without being told to. */
  crashed(error: Error, which: ThreadHandle): void;
}

/** One running worker thread, as the main thread sees it. */
export class ThreadHandle {
  /** From 1. */
  readonly thread: number;
  /** Milliseconds of the monotonic clock. */
  readonly startedAt = performance.now();
  /** The newest picture that it has in force. */
  generation = -1;
  readonly #worker: Worker;
  #stopping = false;

  /** @param entry - the module that it runs. */
  constructor(entry: URL, start: ThreadStart, events: ThreadEvents) {
    this.thread = start.thread;
    this.#worker = new Worker(entry, { workerData: start, name: `proxy-${start.thread}` });
    let cause: Error | null = null;
    this.#worker.on('message', (message: FromThread) => events.received(message, this));
    this.#worker.on('error', (error) => {
      cause = error instanceof Error ? error : new Error(String(error));
    });
    this.#worker.once('exit', (code) => {
      if (!this.#stopping) events.crashed(cause ?? new Error(`ended with code ${code}`), this);
    });
  }

  send(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  /** For how long its event loop has done something, in milliseconds. */
  get busyMs(): number {
    return this.#worker.performance.eventLoopUtilization().active;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#worker.terminate();
  }
}
