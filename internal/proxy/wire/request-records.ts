import type { RequestRecord } from '../engine.ts';
import { type Termination, terminationOf } from '../termination.ts';
import type { TraceRecord } from '../tracing/request-trace.ts';
import type { Exchange } from './exchange.ts';
import { FIELD } from './field-kinds.ts';
import type { HeadParser } from './head-parser.ts';
import type { RequestFields } from './request-head.ts';

interface RequestNames {
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly protocol: string;
}

/** As they came, whether they are right or not. */
export function namesOf(parser: HeadParser): RequestNames {
  const { text, methodStart, methodEnd, targetEnd } = parser;
  return {
    method: text.slice(methodStart, methodEnd),
    target: text.slice(methodEnd + 1, targetEnd),
    host: parser.first(FIELD.host) ?? '',
    protocol: protocolOf(parser),
  };
}

function protocolOf({ minorVersion }: { readonly minorVersion: number }): string {
  return minorVersion === 1 ? 'HTTP/1.1' : 'HTTP/1.0';
}

/** What is known of a request that goes to no upstream. */
export interface RefusedRequest {
  readonly id: string;
  readonly client: string;
  readonly names: RequestNames;
  /** Null: it could not be read. */
  readonly fields: RequestFields | null;
  readonly secure: boolean;
  readonly trace: TraceRecord | null;
  /** In the body of the answer. */
  readonly sentBytes: number;
}

/** Of a request that could not be read. */
export const UNREAD = {
  names: { method: '', host: '', target: '', protocol: '' },
  fields: null,
  secure: false,
  trace: null,
};

interface Refused extends RefusedRequest {
  readonly status: number;
  readonly termination: Termination;
  /** That it was for; null: for none, or nobody knows. */
  readonly service: string | null;
  /** Which rule was broken; null: none. */
  readonly reason: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly totalMs: number;
}

/** Of a request that went to no upstream. */
export function refusedRecord({ names, reason, ...rest }: Refused): RequestRecord {
  const nothing = { attempts: [], queueMs: 0, receivedBytes: 0 };
  return { ...names, ...nothing, ...rest, refusal: reason ?? undefined };
}

/**
 * Made for every request when somebody wants to know of it: one literal, whose shape is always the same.
 * @param startedAt - of the request's head, by the engine's clock; `endedAt` of the end of the answer.
 * @param at - `startedAt` in epoch milliseconds.
 */
export function exchangeRecord(exchange: Exchange, startedAt: number, endedAt: number, at: number): RequestRecord {
  const { request, pool, leases, status, refusal, queueMs } = exchange;
  const { head, fields } = request;
  return {
    at,
    id: request.id,
    client: fields.clientAddress,
    method: head.method,
    host: head.host,
    target: head.target,
    protocol: protocolOf(head),
    secure: request.secure,
    fields,
    service: pool.name,
    algorithm: pool.balancer.algorithm,
    status,
    termination: terminationOf({ status, last: leases.at(-1), refusal, queueMs }),
    attempts: exchange.records(startedAt, endedAt),
    queueMs,
    totalMs: endedAt - startedAt,
    receivedBytes: exchange.receivedBytes,
    sentBytes: exchange.sentBytes,
    refusal: refusal ?? undefined,
    trace: request.trace,
  };
}
