import type { RequestRecord } from '../engine.ts';
import type { Exchange } from './exchange.ts';
import { FIELD } from './field-kinds.ts';
import type { HeadParser } from './head-parser.ts';

export interface RequestNames {
  readonly method: string;
  readonly host: string;
  readonly target: string;
}

/** Of a request that could not be read. */
export const NO_NAMES: RequestNames = { method: '', host: '', target: '' };

/** As they came, whether they are right or not. */
export function namesOf(parser: HeadParser): RequestNames {
  const { text, methodStart, methodEnd, targetEnd } = parser;
  return {
    method: text.slice(methodStart, methodEnd),
    target: text.slice(methodEnd + 1, targetEnd),
    host: parser.first(FIELD.host) ?? '',
  };
}

export interface Refused {
  readonly id: string;
  readonly client: string;
  readonly names: RequestNames;
  readonly status: number;
  /** That it was for; null: for none, or nobody knows. */
  readonly service: string | null;
  /** Which rule was broken; null: none. */
  readonly reason: string | null;
  readonly totalMs: number;
}

/** Of a request that went to no upstream. */
export function refusedRecord({ id, client, names, status, service, reason, totalMs }: Refused): RequestRecord {
  const refusal = reason === null ? {} : { refusal: reason };
  return { id, client, ...names, service, status, attempts: [], totalMs, ...refusal };
}

/** @param totalMs - from the request's head to the end of the answer. */
export function exchangeRecord(exchange: Exchange, totalMs: number): RequestRecord {
  const { id, head, fields } = exchange.request;
  const { refusal } = exchange;
  return {
    id,
    client: fields.clientAddress,
    method: head.method,
    host: head.host,
    target: head.target,
    service: exchange.pool.name,
    algorithm: exchange.pool.balancer.algorithm,
    status: exchange.status,
    attempts: exchange.records(),
    totalMs,
    ...(refusal !== null && { refusal }),
  };
}
