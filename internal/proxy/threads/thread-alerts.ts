import type { AlertSink } from '../../../pkg/alerts/alert.ts';
import type { Logger } from '../../../pkg/logger/logger.ts';
import type { ThreadWatcher } from './threaded-engine.ts';

/** Tells people of a thread that crashed, and when another serves in its place. */
export class ThreadAlerts implements ThreadWatcher {
  readonly #sink: AlertSink;
  readonly #log: Logger;
  /** Epoch milliseconds. */
  readonly #now: () => number;

  constructor(sink: AlertSink, log: Logger, now: () => number) {
    this.#sink = sink;
    this.#log = log;
    this.#now = now;
  }

  crashed(thread: number, error: Error): void {
    this.#log.error({ thread, err: error }, 'a thread crashed; the requests on it are lost, another takes its place');
    this.#raise(thread, `${error.message}. Its connections are lost; another thread takes its place.`);
  }

  notListening(thread: number, error: Error): void {
    this.#log.error({ thread, err: error }, 'the thread that replaces a crashed one cannot listen; it tries again');
    this.#raise(thread, `Another thread takes its place but cannot listen: ${error.message}. It tries again.`);
  }

  replaced(thread: number): void {
    this.#log.info({ thread }, 'the crashed thread is replaced');
    this.#sink.resolve(keyOf(thread), this.#now());
  }

  #raise(thread: number, cause: string): void {
    this.#sink.raise({
      key: keyOf(thread),
      severity: 'critical',
      title: 'A thread of the load balancer crashed',
      cause,
      at: this.#now(),
    });
  }
}

function keyOf(thread: number): string {
  return `thread-crashed:${thread}`;
}
