import type { EngineSettings } from '../engine.ts';
import type { Explainer } from '../explain/explainer.ts';
import type { RetryBudget } from '../retry.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { WallTime } from '../wall-time.ts';
import type { HeadParser } from './head-parser.ts';
import type { RequestFields, RequestHead } from './request-head.ts';
import type { Transport } from './transport.ts';
import type { UpstreamConnections } from './upstream-connections.ts';

/** What all exchanges of an engine share. */
export interface ExchangeTools {
  readonly connections: UpstreamConnections;
  readonly budget: RetryBudget;
  /** May change at any time. */
  settings: EngineSettings;
  /** Null: nothing is kept of requests. */
  explainer: Explainer | null;
  /** Null: nothing is traced. */
  tracer: Tracer | null;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly wallTime: WallTime;
  /** For a response whose head comes in one piece; one that gets the beginning of a head is taken away with it. */
  responseParser: HeadParser;
}

/** The client's side of an exchange. */
export interface ExchangeClient {
  readonly transport: Transport;
  /** The connection shall not be used for another request. */
  readonly closing: boolean;
  /**
   * Sends an answer of our own in place of the upstream's; the exchange is over then.
   * @param page - for browsers; null: there is none.
   * @param retryAfter - seconds, with a 503.
   */
  answer(status: number, page: string | null, retryAfter?: number): void;
  /** The exchange is over, and its answer written. @param reusable - the connection can take another request. */
  finished(reusable: boolean): void;
  /** The exchange is over, and its answer cannot be completed. */
  broken(): void;
  /** Hands out the octets that came after the request; the connection is the tunnel's from then on. */
  leave(): Buffer | null;
  /** The connection, which was a tunnel's, is gone. */
  closed(): void;
}

/** A checked request, on its way. */
export interface ExchangeRequest {
  readonly id: string;
  readonly head: RequestHead;
  readonly fields: RequestFields;
  /** The head as upstreams get it. */
  readonly text: string;
  /** Lines that go with the upstream's answer: what the client is told of its limit. */
  readonly limitLines: string;
  /** The client's connection is encrypted, as a trusted proxy tells. */
  readonly secure: boolean;
  /** Null: it is not traced. */
  readonly trace: RequestTrace | null;
}
