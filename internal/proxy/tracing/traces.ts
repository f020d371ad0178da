import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../../pkg/logger/logger.ts';
import { ExportLog } from '../../../pkg/tracing/export-log.ts';
import type { ExportSettings } from '../../../pkg/tracing/settings.ts';
import type { SpanCounts } from '../../../pkg/tracing/span.ts';
import type { SpanExport } from '../../../pkg/tracing/span-export.ts';
import { requestSpans } from './request-spans.ts';
import type { TracedRequest } from './traced-request.ts';

/** How long the end of a process waits for a receiver that does not answer, in milliseconds. */
const PATIENCE_MS = 2_000;

interface TracesOptions {
  /** Of heimdall. */
  readonly version: string;
  readonly log: Logger;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** Makes spans of traced requests, and sends them where the configuration says. OpenTelemetry is loaded when there is such a place. */
export class Traces {
  readonly #options: TracesOptions;
  #settings: ExportSettings | null = null;
  #export: SpanExport | null = null;
  readonly #counts: SpanCounts = { exported: 0, failed: 0, dropped: 0 };

  constructor(options: TracesOptions) {
    this.#options = options;
  }

  /** Null while nothing is traced. */
  get counts(): Readonly<SpanCounts> | null {
    return this.#export === null ? null : this.#counts;
  }

  /** To be called before engines are told of the settings. @param settings - null: nothing is traced. */
  async configure(settings: ExportSettings | null): Promise<void> {
    if (isDeepStrictEqual(settings, this.#settings)) return;
    const { version, log, now } = this.#options;
    const before = this.#export;
    if (settings === null) {
      this.#export = null;
    } else {
      const { SpanExport } = await import('../../../pkg/tracing/span-export.ts');
      this.#export = new SpanExport(settings, version, new ExportLog(log, settings.endpoint, now), this.#counts);
    }
    this.#settings = settings;
    void before?.stop(PATIENCE_MS);
  }

  /** @param droppedSpans - so many more were dropped on the way here. */
  take(requests: readonly TracedRequest[], droppedSpans = 0): void {
    const target = this.#export;
    if (target === null) return;
    this.#counts.dropped += droppedSpans;
    for (const request of requests) for (const span of requestSpans(request)) target.add(span);
  }

  /** Sends what is left, if the receiver takes it soon. */
  async stop(): Promise<void> {
    const target = this.#export;
    this.#export = null;
    await target?.stop(PATIENCE_MS);
  }
}
