import { formatTraceparent } from './trace-context.ts';
import type { TraceIds } from './trace-ids.ts';

/** The place of one request in its trace, as it is recorded. */
export interface TraceRecord {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Of the caller's span; null: the trace begins here. */
  readonly parentId: string | null;
  /** Of the request's own span. */
  readonly spanId: string;
  /** Whether spans are made of it. */
  readonly sampled: boolean;
  /** The `tracestate` that is passed on; empty: none. */
  readonly state: string;
  /** Of the spans of its attempts, one for each; none of a request that is not sampled. */
  readonly attemptIds: readonly string[];
}

interface TracePlace {
  readonly traceId: string;
  readonly parentId: string | null;
  readonly sampled: boolean;
  readonly state: string;
}

/** The same while the request is on its way: each attempt tells its upstream of a span of its own. */
export class RequestTrace implements TraceRecord {
  readonly traceId: string;
  readonly parentId: string | null;
  readonly spanId: string;
  readonly sampled: boolean;
  readonly state: string;
  readonly attemptIds: string[] = [];
  readonly #ids: TraceIds;
  #traceparent = '';

  constructor({ traceId, parentId, sampled, state }: TracePlace, ids: TraceIds) {
    this.traceId = traceId;
    this.parentId = parentId;
    this.sampled = sampled;
    this.state = state;
    this.#ids = ids;
    // Who comes after us in a trace that we do not record shall find the span that is: the caller's.
    this.spanId = sampled || parentId === null ? ids.spanId() : parentId;
  }

  /** To be called before each attempt. */
  nextAttempt(): void {
    const { traceId, sampled } = this;
    let { spanId } = this;
    if (sampled) {
      spanId = this.#ids.spanId();
      this.attemptIds.push(spanId);
    }
    this.#traceparent = formatTraceparent({ traceId, spanId, sampled });
  }

  /** The `traceparent` for the upstream of the present attempt. */
  get traceparent(): string {
    return this.#traceparent;
  }
}
