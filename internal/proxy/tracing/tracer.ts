import type { RequestRecord } from '../engine.ts';
import { RequestTrace } from './request-trace.ts';
import type { TracingSettings } from './settings.ts';
import { type TracedRequest, tracedRequest } from './traced-request.ts';
import { keptTracestate, parseTraceparent } from './trace-context.ts';
import { TraceIds } from './trace-ids.ts';

/** Of the last 14 digits of a trace id, which are random by level 2 of W3C Trace Context, as many as a number holds exactly. */
const RANDOM_DIGITS = [18, 31] as const;
const RANDOM_RANGE = 16 ** 13;

/** Gives each request its place in a trace, for one thread. */
export class Tracer {
  readonly settings: TracingSettings;
  readonly #ids: TraceIds;
  readonly #ended: (request: TracedRequest) => void;

  /** @param ended - told of each sampled request that is over. */
  constructor(settings: TracingSettings, ended: (request: TracedRequest) => void, ids = new TraceIds()) {
    this.settings = settings;
    this.#ids = ids;
    this.#ended = ended;
  }

  /**
   * @param traceparent - the one that came; undefined: none, or several, which count as none (W3C Trace Context §3.2).
   * @param tracestate - all of them, in order, with commas in between; counts only with a valid `traceparent`.
   */
  begin(traceparent: string | undefined, tracestate: string): RequestTrace {
    const parent = traceparent === undefined ? null : parseTraceparent(traceparent);
    if (parent === null) {
      const traceId = this.#ids.traceId();
      const sampled = isSampled(traceId, this.settings.sampleRatio);
      return new RequestTrace({ traceId, parentId: null, sampled, state: '' }, this.#ids);
    }
    const { traceId, spanId, sampled } = parent;
    return new RequestTrace({ traceId, parentId: spanId, sampled, state: keptTracestate(tracestate) }, this.#ids);
  }

  ended(record: RequestRecord): void {
    const request = tracedRequest(record);
    if (request !== null) this.#ended(request);
  }
}

/**
 * Whether a trace that begins here is sampled: by its id alone, so that all who decide by the same ratio decide alike, and
 * who samples more has all that others have (OpenTelemetry, "TraceState: Probability Sampling", 2025).
 */
export function isSampled(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(...RANDOM_DIGITS), 16) >= (1 - ratio) * RANDOM_RANGE;
}

/** The present one while it is as it should be, otherwise a new one; null: nothing is traced. */
export function tracerFor(
  settings: TracingSettings | null,
  present: Tracer | null,
  ended: ((request: TracedRequest) => void) | undefined,
): Tracer | null {
  if (settings === null || ended === undefined) return null;
  return present?.settings.sampleRatio === settings.sampleRatio ? present : new Tracer(settings, ended);
}
