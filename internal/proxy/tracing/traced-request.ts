import type { RequestRecord } from '../engine.ts';
import type { TraceRecord } from './request-trace.ts';

type Told =
  | 'at'
  | 'id'
  | 'client'
  | 'method'
  | 'host'
  | 'target'
  | 'protocol'
  | 'secure'
  | 'service'
  | 'algorithm'
  | 'status'
  | 'termination'
  | 'attempts'
  | 'queueMs'
  | 'totalMs'
  | 'refusal';

/** What the spans of a finished request are made of. Plain data, so that it can go to another thread. */
export interface TracedRequest extends Pick<RequestRecord, Told> {
  readonly trace: TraceRecord;
  readonly userAgent: string | undefined;
}

/** Longest text of the client's that is kept, in characters: spans wait in memory. */
const LONGEST_TEXT = 1_024;

/** Null: no spans are to be made of it. */
export function tracedRequest(record: RequestRecord): TracedRequest | null {
  const { trace, fields, algorithm } = record;
  if (trace?.sampled !== true) return null;
  const { traceId, parentId, spanId, sampled, state, attemptIds } = trace;
  return {
    trace: { traceId, parentId, spanId, sampled, state, attemptIds },
    userAgent: fields?.field('user-agent')?.slice(0, LONGEST_TEXT),
    at: record.at,
    id: record.id,
    client: record.client,
    method: record.method,
    host: record.host,
    target: record.target.slice(0, LONGEST_TEXT),
    protocol: record.protocol,
    secure: record.secure,
    service: record.service,
    ...(algorithm !== undefined && { algorithm }),
    status: record.status,
    termination: record.termination,
    attempts: record.attempts,
    queueMs: record.queueMs,
    totalMs: record.totalMs,
    refusal: record.refusal,
  };
}
