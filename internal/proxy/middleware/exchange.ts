import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { authority } from '../../model/address.ts';
import { answerFor } from '../answer.ts';
import type { AttemptRecord, EngineSettings } from '../engine.ts';
import type { Lease } from '../lease.ts';
import { describeOutcome, type Outcome, statusFor } from '../outcome.ts';
import { RequestContext } from '../request-context.ts';
import { mayRetry, type RetryBudget } from '../retry.ts';
import type { ServicePool } from '../service-pool.ts';
import type { Upstream } from '../upstream.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { ClientRequest } from './client-request.ts';
import type { ProxyLibrary } from './library.ts';
import { relayInformation, relayResponse } from './relay.ts';
import { type BodyFault, ReplayBody } from './replay-body.ts';
import type { UpstreamAgent } from './upstream-agent.ts';

/** What every exchange of an engine shares. */
export interface ExchangeTools {
  readonly library: ProxyLibrary;
  readonly budget: RetryBudget;
  settings(): EngineSettings;
  /** This process is about to stop: the client shall not use its connection again. */
  closing(): boolean;
  agentFor(upstream: Upstream): UpstreamAgent;
  now(): number;
}

const FAULT_STATUS: Readonly<Record<BodyFault, number>> = { 'too-large': 413, idle: 408 };

/** One request of a client, from the first attempt to the last byte of the answer. */
export class Exchange implements AttemptOwner {
  readonly attempts: Attempt[] = [];
  readonly context: RequestContext;
  readonly pool: ServicePool;
  readonly request: ClientRequest;
  readonly #tools: ExchangeTools;
  readonly #response: ServerResponse;
  readonly #settings: EngineSettings;
  readonly #body: ReplayBody | null;
  readonly #tried: Upstream[] = [];
  #fault: BodyFault | null = null;
  #usesBudget = false;

  constructor(tools: ExchangeTools, pool: ServicePool, request: ClientRequest, response: ServerResponse) {
    this.#tools = tools;
    this.#settings = tools.settings();
    this.#response = response;
    this.pool = pool;
    this.request = request;
    this.context = new RequestContext(request, pool, tools.now);
    const limits = { maxBytes: this.#settings.limits.body, idleMs: this.#settings.timeouts.bodyIdle };
    this.#body = request.hasBody ? new ReplayBody(request.message, limits, (fault) => this.#bodyFailed(fault)) : null;
  }

  /** Resolves when the client has its answer, or is gone. */
  async run(): Promise<void> {
    this.request.prepare(false);
    this.#response.once('close', () => {
      if (!this.#response.writableFinished) this.#attempt?.abandon();
    });
    this.#tools.budget.requestStarted();
    try {
      let last: Lease | null = null;
      do {
        const lease = this.#response.destroyed ? null : this.pool.lease(this.context, this.#tried);
        if (lease === null) break;
        last = lease;
        await this.#try(lease);
      } while (this.#goesOn(last));
      this.#answerFailure(last);
    } finally {
      this.#tools.budget.requestEnded(this.#usesBudget);
    }
  }

  information(info: { readonly statusCode: number; readonly rawHeaders: string[] }): void {
    relayInformation(info, this.#response);
  }

  /** From here on there is no other attempt. */
  response(attempt: Attempt, upstream: IncomingMessage, client: ServerResponse): void {
    this.#body?.forget();
    if (this.#fault !== null || client.destroyed) return;
    relayResponse(upstream, client, attempt.lease, {
      requestId: this.request.id,
      setCookie: stickyCookie(this.pool, this.context, this.request, attempt.lease),
      idleMs: this.#settings.timeouts.streamIdle,
      closing: this.#tools.closing(),
    });
  }

  records(): AttemptRecord[] {
    return this.attempts.map(({ lease }) => recordOf(lease));
  }

  get #attempt(): Attempt | undefined {
    return this.attempts.at(-1);
  }

  async #try(lease: Lease): Promise<void> {
    this.#tried.push(lease.upstream);
    const { host, port } = lease.upstream.instance;
    const route = {
      url: `http://${authority(host, port)}`,
      agent: this.#tools.agentFor(lease.upstream),
      body: this.#bodyStream(),
    };
    const attempt = new Attempt(lease, route, this.#settings.timeouts.responseHead, this);
    this.attempts.push(attempt);
    await this.#tools.library.send(attempt, this.request.message, this.#response);
    this.#body?.detach();
    // Whatever the library did not report: an attempt that is over has an outcome.
    lease.release({ kind: 'client-closed' });
  }

  /** A request without a body has ended by the second attempt: the library would wait for an end that was long ago. */
  #bodyStream(): Readable | null {
    if (this.#body !== null) return this.#body.stream();
    return this.#tried.length > 1 ? Readable.from([]) : null;
  }

  #goesOn(lease: Lease): boolean {
    const { outcome } = lease;
    if (outcome === null || this.#response.headersSent || this.#response.destroyed || this.#fault !== null)
      return false;
    const question = {
      outcome,
      method: this.request.method,
      hasIdempotencyKey: this.request.field('idempotency-key') !== undefined,
      bodyReplayable: this.#body?.replayable ?? true,
      attempts: this.#tried.length,
    };
    if (!mayRetry(question, this.#settings.retries)) return false;
    this.#usesBudget ||= this.#tools.budget.take(this.#settings.retries);
    return this.#usesBudget;
  }

  #answerFailure(last: Lease | null): void {
    if (this.#response.headersSent || this.#response.destroyed) return;
    const outcome: Outcome | null = last?.outcome ?? null;
    const status =
      this.#fault !== null ? FAULT_STATUS[this.#fault] : outcome && last ? statusFor(outcome, last.lastResort) : 503;
    sendAnswer(this.#response, this.request.id, status ?? 502, this.request.field('accept'));
  }

  #bodyFailed(fault: BodyFault): void {
    this.#fault = fault;
    this.#attempt?.abandon();
    if (this.#response.headersSent) this.#response.destroy();
    else this.#answerFailure(null);
  }
}

/** The `Set-Cookie` that ties the client to the upstream that answers; null when it already is, or need not be. */
export function stickyCookie(
  pool: ServicePool,
  context: RequestContext,
  request: ClientRequest,
  lease: Lease,
): string | null {
  if (pool.sticky === null || context.affinity() === lease.upstream.id) return null;
  return pool.sticky.issue(lease.upstream, request.secure);
}

export function recordOf(lease: Lease): AttemptRecord {
  return {
    upstream: lease.upstream.id,
    outcome: lease.outcome === null ? 'running' : describeOutcome(lease.outcome),
    headMs: lease.headMs,
  };
}

/** Sends an answer of our own. When the request's body was not read to its end, the connection is closed after it. */
export function sendAnswer(
  response: ServerResponse,
  requestId: string,
  status: number,
  accept: string | undefined,
  detail?: string,
): void {
  const answer = answerFor(status, accept, detail);
  if (!response.req.complete) response.shouldKeepAlive = false;
  response.writeHead(answer.status, {
    'Content-Type': answer.type,
    'Content-Length': Buffer.byteLength(answer.body),
    'Cache-Control': 'no-store',
    'X-Request-Id': requestId,
    ...(answer.retryAfter === null ? {} : { 'Retry-After': String(answer.retryAfter) }),
  });
  response.end(answer.body);
}
