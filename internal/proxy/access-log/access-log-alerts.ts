import type { AlertSink } from '../../../pkg/alerts/alert.ts';
import type { Logger } from '../../../pkg/logger/logger.ts';
import type { AccessLogWatcher } from './access-log.ts';

const KEY = 'access-log';

/** Tells people that lines of the access log are lost, and when they are written again. */
export class AccessLogAlerts implements AccessLogWatcher {
  readonly #sink: AlertSink;
  readonly #log: Logger;
  /** Epoch milliseconds. */
  readonly #now: () => number;

  constructor(sink: AlertSink, log: Logger, now: () => number) {
    this.#sink = sink;
    this.#log = log;
    this.#now = now;
  }

  failing(cause: string, output: string): void {
    this.#log.error({ reason: cause, output }, 'the access log drops lines; requests are not affected');
    this.#sink.raise({
      key: KEY,
      severity: 'warning',
      title: 'The access log drops lines',
      cause: `${cause}. Requests are not affected.`,
      at: this.#now(),
    });
  }

  recovered(dropped: number): void {
    this.#log.info({ dropped }, 'the access log drops no more lines');
    this.#sink.resolve(KEY, this.#now());
  }
}
