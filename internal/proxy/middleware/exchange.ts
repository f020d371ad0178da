import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { authority } from '../../model/address.ts';
import { attemptRecord } from '../attempt-record.ts';
import type { EngineSettings, RequestRecord } from '../engine.ts';
import type { Explainer, Followed } from '../explain/explainer.ts';
import type { RawFields } from '../fields.ts';
import type { TrailFacts } from '../explain/trail.ts';
import { Lease } from '../lease.ts';
import { isFailedAnswer, type Outcome, statusFor } from '../outcome.ts';
import { isFull, type Refusal } from '../pool-parts.ts';
import { RequestContext } from '../request-context.ts';
import { isRepeatable, resetsOf, type RetryBudget, type RetryRefusal, retryRefusal } from '../retry.ts';
import type { ServicePool } from '../service-pool.ts';
import type { SilentUpstream } from '../silent-upstream.ts';
import { terminationOf } from '../termination.ts';
import type { Upstream } from '../upstream.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { ClientRequest } from './client-request.ts';
import type { ProxyLibrary } from './library.ts';
import { NextLease } from './next-lease.ts';
import { relayInformation, relayResponse } from './relay.ts';
import { type BodyFault, ReplayBody } from './replay-body.ts';
import { sendAnswer } from './respond.ts';
import type { UpstreamAgent } from './upstream-agent.ts';

/** What every exchange of an engine shares. */
export interface ExchangeTools {
  readonly library: ProxyLibrary;
  readonly budget: RetryBudget;
  /** Null: nothing is kept of requests. */
  readonly explainer: Explainer | null;
  readonly settings: () => EngineSettings;
  /** This process is about to stop: the client shall not use its connection again. */
  readonly closing: () => boolean;
  readonly agentFor: (upstream: Upstream) => UpstreamAgent;
  readonly now: () => number;
}

/** What became of a request that was sent to a pool, for its record. */
export type ExchangeEnd = Pick<
  RequestRecord,
  'status' | 'termination' | 'attempts' | 'queueMs' | 'receivedBytes' | 'sentBytes' | 'refusal'
>;

interface EndFacts extends Pick<RequestRecord, 'status' | 'queueMs' | 'receivedBytes' | 'sentBytes'> {
  readonly refusal: Refusal | null;
  /** By the engine's clock. */
  readonly endedAt: number;
}

/** As nginx logs it: the client left before there was an answer. */
export const CLIENT_GONE = 499;
const FAULT_STATUS: Readonly<Record<BodyFault, number>> = { 'too-large': 413, idle: 408 };

/** One request of a client, from the first attempt to the last byte of the answer. */
export class Exchange implements AttemptOwner, Followed {
  readonly #tools: ExchangeTools;
  readonly pool: ServicePool;
  readonly #request: ClientRequest;
  readonly #response: ServerResponse;
  readonly #settings: EngineSettings;
  readonly context: RequestContext;
  readonly #next: NextLease;
  readonly #body: ReplayBody | null;
  readonly leases: Lease[] = [];
  /** Why a failed attempt was the last one. */
  notRepeated: RetryRefusal | null = null;
  #attempt: Attempt | null = null;
  /** Its retry is out of the budget already: it is given up for that. */
  #isGranted = false;
  #fault: BodyFault | null = null;
  #clientGone = false;
  /** Octets of the answer's body. */
  #sentBytes = 0;
  /** Why there was no other attempt; null: there was. */
  #refusal: Refusal | null = null;
  #expectsContinue: boolean;
  /** The lease whose idle connection was closed by its upstream; it gets one new connection. */
  #stale: Lease | null = null;

  /** @param expectsContinue - the client waits for a 100 before it sends the body. */
  constructor(
    tools: ExchangeTools,
    pool: ServicePool,
    request: ClientRequest,
    response: ServerResponse,
    expectsContinue: boolean,
  ) {
    this.#tools = tools;
    this.#settings = tools.settings();
    this.pool = pool;
    this.#request = request;
    this.#response = response;
    this.#expectsContinue = expectsContinue;
    this.context = new RequestContext(request, pool, tools.now);
    this.#next = new NextLease(pool, this.context, () => tools.explainer?.follow(this));
    const limits = { maxBytes: this.#settings.limits.body, idleMs: this.#settings.timeouts.bodyIdle };
    this.#body = request.hasBody ? new ReplayBody(request.message, limits, (fault) => this.#bodyFailed(fault)) : null;
  }

  /** Resolves when the client has its answer, or is gone. */
  async run(): Promise<void> {
    const { message } = this.#request;
    this.#response.setMaxListeners(0); // the library adds its own for every attempt
    message.setMaxListeners(0);
    this.#response.once('close', () => this.#clientLeft()); // also when it waits its turn behind a pipelined one
    const { budget, explainer } = this.#tools;
    budget.requestStarted();
    explainer?.sample(this, this.#request.startedAt);
    do {
      const found = await this.#next.get(this.#tried);
      this.#refusal = found instanceof Lease ? null : found;
      if (!(found instanceof Lease)) break;
      this.leases.push(found);
      this.#request.trace?.nextAttempt();
      await this.#try(found);
    } while (this.#goesOn());
    this.#answerFailure();
  }

  /** What the client got; 499 when it left before it got anything. */
  get status(): number {
    return this.#response.headersSent ? this.#response.statusCode : CLIENT_GONE;
  }

  /** Why it got no upstream, or no other one; null: it did. */
  get refusal(): Refusal | null {
    return this.#clientGone || this.#fault !== null ? null : this.#refusal;
  }

  /** Whether the client got an error, or half an answer; to be asked when the exchange is over. */
  get hasFailed(): boolean {
    return isFailedAnswer(this.status, this.leases.at(-1)?.outcome);
  }

  facts(): TrailFacts {
    return factsOf(this.#request, this.pool, this.leases);
  }

  end(): ExchangeEnd {
    const { status, refusal, leases } = this;
    return endOf(this.#request, leases, {
      status,
      refusal,
      queueMs: this.#next.waitedMs,
      receivedBytes: this.#body?.received ?? 0,
      sentBytes: this.#sentBytes,
      endedAt: this.#tools.now(),
    });
  }

  taken(): void {
    this.#request.restore();
  }

  connected(): void {
    if (this.#body === null) return;
    if (this.#expectsContinue && !this.#response.headersSent) this.#response.writeContinue();
    this.#expectsContinue = false;
    this.#body.start();
  }

  information(info: { readonly statusCode: number; readonly rawHeaders: string[] }): void {
    relayInformation(info, this.#response);
  }

  /** From here on there is no other attempt. */
  response(attempt: Attempt, upstream: IncomingMessage, client: ServerResponse): void {
    const { lease } = attempt;
    this.#body?.forget();
    if (this.#fault !== null || this.#clientGone) return;
    if (client.headersSent) {
      attempt.abandon(); // the app around us has answered, for instance because this took too long
      return;
    }
    relayResponse(upstream, client, lease, {
      requestId: this.#request.id,
      setCookie: stickyCookie(this.pool, this.context, this.#request, lease),
      limitFields: this.#request.limitFields,
      replacing: upstreamField(this.#settings, lease),
      idleMs: this.#settings.timeouts.streamIdle,
      closing: this.#tools.closing(),
    });
    upstream.on('data', ({ length }: Buffer) => {
      this.#sentBytes += length;
    });
  }

  goesOnAfterStale({ lease }: Attempt): boolean {
    if (this.#stale === lease || this.#clientGone || this.#fault !== null) return false;
    if (!this.#bodyReplayable || !isRepeatable(this.#request.method, this.#request.hasIdempotencyKey)) return false;
    this.#stale = lease;
    return true;
  }

  rescue(from: SilentUpstream): void {
    const outcome = this.#attempt?.endBy(from) ?? null;
    if (outcome === null || this.#isOver || this.#refusalAfter(outcome) !== null) return;
    if (!this.pool.hasFitOther(this.#tried) || !this.#tools.budget.take(this.#settings.retries)) return;
    this.#isGranted = true;
    this.#attempt?.giveUp(outcome);
  }

  get #tried(): Upstream[] {
    return this.leases.map(({ upstream }) => upstream);
  }

  get #bodyReplayable(): boolean {
    return this.#body?.replayable ?? true;
  }

  async #try(lease: Lease): Promise<void> {
    const agent = this.#tools.agentFor(lease.upstream);
    try {
      await this.#send(lease, agent);
      if (this.#stale === lease && lease.outcome === null && !this.#clientGone) {
        agent.closeIdle(); // where one was stale, the others are
        await this.#send(lease, agent);
      }
    } finally {
      lease.release({ kind: 'client-closed' }); // whatever was not reported: an attempt that is over has an outcome
    }
  }

  async #send(lease: Lease, agent: UpstreamAgent): Promise<void> {
    const { message, target } = this.#request;
    const { host, port } = lease.upstream.instance;
    const isFirst = this.#attempt === null;
    const route = {
      url: `http://${authority(host, port)}`,
      target,
      agent,
      // A request without a body has ended by the second attempt: the library would wait for an end that was long ago.
      body: this.#body?.stream() ?? (isFirst && !message.readableEnded ? null : Readable.from([])),
      trailers: () => message.rawTrailers,
    };
    const { responseHead: head, streamIdle: idle } = this.#settings.timeouts;
    this.#attempt = new Attempt(lease, route, { head, idle }, this);
    this.#request.prepare(false);
    await this.#tools.library.send(this.#attempt, message, this.#response);
    this.#request.restore();
    this.#body?.detach();
  }

  #goesOn(): boolean {
    const outcome = this.leases.at(-1)?.outcome;
    if (!outcome || this.#isOver) return false;
    this.notRepeated = this.#refusalAfter(outcome) ?? (this.#takeRetry() ? null : 'budget-spent');
    if (this.notRepeated === null) this.#tools.explainer?.follow(this);
    return this.notRepeated === null;
  }

  #takeRetry(): boolean {
    const isGranted = this.#isGranted;
    this.#isGranted = false;
    return isGranted || this.#tools.budget.take(this.#settings.retries);
  }

  /** The client has an answer, or nobody waits for one. */
  get #isOver(): boolean {
    return this.#response.headersSent || this.#clientGone || this.#fault !== null;
  }

  /** Why the request is not repeated when the present attempt ends like this; null: it is, if the budget allows it. */
  #refusalAfter(outcome: Outcome): RetryRefusal | null {
    const { method, hasIdempotencyKey } = this.#request;
    const question = { outcome, method, hasIdempotencyKey, bodyReplayable: this.#bodyReplayable };
    const attempts = { attempts: this.leases.length, resets: resetsOf(this.leases, outcome) };
    return retryRefusal({ ...question, ...attempts }, this.#settings.retries);
  }

  #answerFailure(): void {
    if (this.#response.headersSent || this.#clientGone) return;
    if (this.#tools.closing()) this.#response.shouldKeepAlive = false;
    const details = {
      page: this.#refusal === 'held' ? this.pool.page : null,
      retryAfter: isFull(this.#refusal) ? this.pool.retryAfter : undefined,
    };
    const accept = this.#request.field('accept');
    this.#sentBytes = sendAnswer(this.#response, this.#request.id, this.#failureStatus(), accept, details);
  }

  #failureStatus(): number {
    if (this.#fault !== null) return FAULT_STATUS[this.#fault];
    const last = this.leases.at(-1);
    if (last === undefined || isFull(this.#refusal) || this.#refusal === 'held') return 503;
    return (last.outcome && statusFor(last.outcome, last.lastResort)) ?? 502;
  }

  #bodyFailed(fault: BodyFault): void {
    this.#fault = fault;
    this.#next.giveUp();
    this.#attempt?.abandon();
    if (this.#response.headersSent) this.#response.destroy();
    else this.#answerFailure();
  }

  #clientLeft(): void {
    const last = this.leases.at(-1);
    const waits = last?.outcome === null && last.headMs === null; // then the app around us has answered
    if (this.#response.writableFinished && !waits) return;
    this.#clientGone = true;
    this.#next.giveUp();
    this.#attempt?.abandon();
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

/** What names who answers. */
export function upstreamField({ upstreamHeader }: EngineSettings, { upstream }: Lease): RawFields {
  return upstreamHeader === null ? [] : [upstreamHeader, upstream.id];
}

/** What is known of a request when it is sent to a pool. */
export function factsOf(request: ClientRequest, pool: ServicePool, leases: readonly Lease[]): TrailFacts {
  const { id, clientAddress: client, method, host, target, trace } = request;
  const { algorithm } = pool.balancer;
  return { id, client, method, host, target, service: pool.name, algorithm, trace, leases };
}

/** What is known at the end of a request that was sent to a pool, for its record. */
export function endOf(
  { startedAt }: ClientRequest,
  leases: readonly Lease[],
  { endedAt, refusal, ...facts }: EndFacts,
): ExchangeEnd {
  return {
    ...facts,
    termination: terminationOf({ ...facts, refusal, last: leases.at(-1) }),
    attempts: leases.map((lease) => attemptRecord(lease, startedAt, endedAt)),
    refusal: refusal ?? undefined,
  };
}
