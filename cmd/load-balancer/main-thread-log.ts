import { AccessLog, type AccessLogCounts } from '../../internal/proxy/access-log/access-log.ts';
import { AccessLogAlerts } from '../../internal/proxy/access-log/access-log-alerts.ts';
import { LineCollector } from '../../internal/proxy/access-log/line-collector.ts';
import { recorderOf } from '../../internal/proxy/access-log/recorder.ts';
import type { RequestRecord } from '../../internal/proxy/engine.ts';
import type { AlertSink } from '../../pkg/alerts/alert.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { sharedNow } from '../../pkg/clock/shared-now.ts';
import type { AccessLogChoice } from './access-log.ts';

/** The access log of an engine that runs on the main thread. */
export class MainThreadLog {
  readonly #log: Logger;
  readonly #accessLog: AccessLog;
  readonly #collector: LineCollector;
  #record: ((record: RequestRecord) => void) | null = null;

  constructor(sink: AlertSink, log: Logger) {
    this.#log = log;
    const alerts = new AccessLogAlerts(sink, log.child({ subsystem: 'access-log' }), Date.now);
    this.#accessLog = new AccessLog(alerts, sharedNow);
    this.#collector = new LineCollector((batch) => {
      this.#accessLog.take(batch, (memory) => this.#collector.returned(memory));
    });
  }

  configure(choice: AccessLogChoice): void {
    this.#collector.flush(); // to where it belongs
    this.#record = recorderOf(choice?.lines ?? null, this.#collector);
    this.#accessLog.configure(choice?.output ?? null);
  }

  record(record: RequestRecord): void {
    const { id, target, defect } = record;
    if (defect !== undefined) this.#log.error({ id, target, err: defect }, 'a defect of heimdall broke a request');
    this.#record?.(record);
  }

  get counts(): AccessLogCounts {
    return this.#accessLog.counts;
  }

  /** Resolves when all lines are written. */
  async close(): Promise<void> {
    this.#collector.flush();
    await this.#accessLog.close();
  }
}
