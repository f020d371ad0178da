import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import { type Origin, readableSpan } from './readable-span.ts';
import type { ExportSettings } from './settings.ts';
import type { Span, SpanCounts } from './span.ts';

/** Spans that may wait, or be on their way: about 10 MB of memory. */
const MAX_PENDING = 8_192;
const BATCH = 512;
/** How long a span may wait for others that travel with it, in milliseconds. */
const DELAY_MS = 1_000;

export interface ExportListener {
  failed(spans: number, cause: string): void;
  succeeded(): void;
}

/**
 * Sends spans to an OTLP receiver, by the SDK of OpenTelemetry. It never makes its caller wait, and never keeps more than
 * it may: what is too much is dropped, and counted. This module is the only one that loads OpenTelemetry.
 */
export class SpanExport {
  readonly #processor: BatchSpanProcessor;
  readonly #origin: Origin;
  readonly #exporter: SpanExporter;
  readonly #listener: ExportListener;
  readonly #counts: SpanCounts;
  #pending = 0;

  /**
   * @param version - of the service.
   * @param counts - what becomes of the spans is added to them.
   */
  constructor(settings: ExportSettings, version: string, listener: ExportListener, counts: SpanCounts) {
    const { endpoint: url, headers, timeout, serviceName, attributes } = settings;
    const own = { ...attributes, 'service.name': serviceName, 'service.version': version };
    this.#listener = listener;
    this.#counts = counts;
    this.#origin = {
      resource: defaultResource().merge(resourceFromAttributes(own)),
      scope: { name: 'heimdall', version },
    };
    this.#exporter = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeout });
    this.#processor = new BatchSpanProcessor({
      exporter: {
        export: (spans, done) => this.#export(spans, done),
        shutdown: () => this.#exporter.shutdown(),
      },
      maxQueueSize: MAX_PENDING,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: DELAY_MS,
      exportTimeoutMillis: timeout,
    });
  }

  add(span: Span): void {
    if (this.#pending >= MAX_PENDING) {
      this.#counts.dropped += 1;
      return;
    }
    this.#pending += 1;
    this.#processor.onEnd(readableSpan(span, this.#origin));
  }

  /** Sends what is left. Resolves when that is done, or in vain; at the latest after `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, deadlineMs);
    await Promise.race([this.#processor.shutdown().catch(() => {}), late]); // failures are counted, and told
    clearTimeout(timer);
  }

  #export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const settle = (result: ExportResult) => {
      this.#settle(spans.length, result);
      done(result);
    };
    try {
      this.#exporter.export(spans, settle);
    } catch (error) {
      settle({ code: ExportResultCode.FAILED, error: error instanceof Error ? error : new Error(String(error)) });
    }
  }

  #settle(spans: number, { code, error }: ExportResult): void {
    this.#pending -= spans;
    if (code === ExportResultCode.SUCCESS) {
      this.#counts.exported += spans;
      this.#listener.succeeded();
    } else {
      this.#counts.failed += spans;
      this.#listener.failed(spans, causeOf(error));
    }
  }
}

/** What happened, in one line: a code of the system, or the status of the answer. */
function causeOf(error: Error | undefined): string {
  if (error === undefined) return 'unknown';
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'number') return `it answered ${code}`;
  return typeof code === 'string' ? code : error.message || error.name;
}
