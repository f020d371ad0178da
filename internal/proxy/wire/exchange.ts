import { attemptRecord } from '../attempt-record.ts';
import type { AttemptRecord } from '../engine.ts';
import type { Followed } from '../explain/explainer.ts';
import type { TrailFacts } from '../explain/trail.ts';
import { Lease } from '../lease.ts';
import { isFailedAnswer, type Outcome, statusFor } from '../outcome.ts';
import { isFull, type LeaseSeeker, type Refusal } from '../pool-parts.ts';
import { RequestContext } from '../request-context.ts';
import { resetsOf, type RetryRefusal, retryRefusal } from '../retry.ts';
import type { ServicePool } from '../service-pool.ts';
import type { Upstream } from '../upstream.ts';
import type { Waiting } from '../waiting-line.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { ExchangeClient, ExchangeRequest, ExchangeTools } from './exchange-parts.ts';
import type { HeadParser } from './head-parser.ts';
import { RequestBody } from './request-body.ts';
import { withTraceparent } from './request-writer.ts';
import { clientHead, interimHead, type ResponseHead, switchingHead } from './response-head.ts';
import type { RelayMode } from './response-relay.ts';

/** As nginx logs it: the client left before there was an answer. */
const CLIENT_GONE = 499;
const CLIENT_CLOSED: Outcome = { kind: 'client-closed' };
const CONTINUE = 100;

const NOBODY_TRIED: readonly Upstream[] = [];

/** One request of a client, through one attempt or several, to the last octet of the answer. */
export class Exchange implements AttemptOwner, LeaseSeeker, Followed {
  readonly request: ExchangeRequest;
  readonly client: ExchangeClient;
  readonly pool: ServicePool;
  readonly body: RequestBody;
  /** What the client got; 499 when it left before it got anything. */
  status = CLIENT_GONE;
  /** Why it got no upstream, or no other one; null: it did. */
  refusal: Refusal | null = null;
  /** Why a failed attempt was the last one. */
  notRepeated: RetryRefusal | null = null;
  /** How long it has waited for upstreams, in milliseconds. */
  queueMs = 0;
  /** Octets in the body of an answer of our own. */
  ownBytes = 0;
  readonly #tools: ExchangeTools;
  readonly context: RequestContext;
  /** One for each attempt. */
  readonly leases: Lease[] = [];
  /** The present one. */
  #attempt: Attempt | null = null;
  /** While all upstreams are full. */
  #waiting: Waiting | null = null;
  #waitsSince = 0;
  /** The client's connection can be used again after the answer. */
  #reusable = false;
  #continued = false;
  #over = false;

  constructor(tools: ExchangeTools, client: ExchangeClient, pool: ServicePool, request: ExchangeRequest) {
    const { limits } = tools.settings;
    this.#tools = tools;
    this.client = client;
    this.pool = pool;
    this.request = request;
    this.context = new RequestContext(request.fields, pool, tools.now);
    this.body = new RequestBody(request.head, limits, limits.body);
  }

  start(): void {
    const { budget, explainer } = this.#tools;
    const now = budget.requestStarted();
    explainer?.sample(this, now);
    this.#try();
  }

  /** Whether the whole request was read. */
  get requestDone(): boolean {
    return this.body.done;
  }

  /** Whether the client got an error, or half an answer; to be asked when the exchange is over. */
  get hasFailed(): boolean {
    return isFailedAnswer(this.status, this.leases.at(-1)?.outcome);
  }

  facts(): TrailFacts {
    const { id, head, fields, trace } = this.request;
    const { pool, leases } = this;
    return {
      id,
      client: fields.clientAddress,
      method: head.method,
      host: head.host,
      target: head.target,
      service: pool.name,
      algorithm: pool.balancer.algorithm,
      trace,
      leases,
    };
  }

  /** To be asked when the exchange is over. */
  records(startedAt: number, endedAt: number): AttemptRecord[] {
    const [first] = this.leases;
    if (first !== undefined && this.leases.length === 1) return [attemptRecord(first, startedAt, endedAt)]; // as mostly
    return this.leases.map((lease) => attemptRecord(lease, startedAt, endedAt));
  }

  /** Octets of the request's body so far, and of what came through the tunnel that it became. */
  get receivedBytes(): number {
    return this.body.size + (this.#attempt?.tunnelled.received ?? 0);
  }

  /** The same of the answer. */
  get sentBytes(): number {
    return this.ownBytes + (this.#attempt?.bodySize ?? 0) + (this.#attempt?.tunnelled.sent ?? 0);
  }

  /** Takes what the client sent of the body. @returns the index after the request's last octet. */
  receiveBody(chunk: Buffer, from: number, to: number): number {
    const { transport } = this.client;
    const end = this.body.receive(chunk, from, to, transport);
    const { fault } = this.body;
    if (fault !== null) {
      this.refuse(fault === 'too-large' ? 413 : 400);
      return to;
    }
    if (this.body.done) {
      transport.expireNever();
      transport.resume();
      this.#attempt?.requestSent();
    } else {
      this.uploading();
    }
    return end;
  }

  uploading(): void {
    const { transport } = this.client;
    this.#attempt?.watchUpload();
    if (this.#waiting === null && !transport.paused) transport.expireIn(this.#tools.settings.timeouts.bodyIdle);
  }

  /** The request cannot be read on: it ends here, with an answer when none has begun. */
  refuse(status: number): void {
    if (this.#over) return;
    const answering = this.#attempt?.isAnswering === true;
    this.#cancel();
    if (answering) {
      this.client.broken();
      return;
    }
    this.status = status;
    this.client.answer(status, null);
  }

  /** The client is gone, or has ended its side: nobody waits for the answer. */
  clientLeft(): void {
    if (!this.#over) this.#cancel();
  }

  /** The client takes octets again. */
  clientDrained(): void {
    this.#attempt?.clientDrained();
  }

  /** The pool has found an upstream for the request, or has none for it. */
  turn(found: Lease | Refusal): void {
    if (this.#waiting !== null) this.#waitEnds(typeof found === 'string' ? this.#tools.now() : found.startedAt);
    if (typeof found === 'string') {
      this.refusal = found;
      if (!this.#over) this.#giveUp(found === 'nobody' ? this.leases.at(-1) : undefined);
    } else if (this.#over) {
      found.release(CLIENT_CLOSED); // the client left between its turn and now
    } else {
      this.leases.push(found);
      this.#attempt = new Attempt(this.#tools, this, found, this.#headForAttempt());
      this.#attempt.start();
    }
  }

  /** Passes an interim response on when the client can understand it, and a 100 only once, to whoever waits for it. */
  informed(head: HeadParser): void {
    const { minorVersion, expectsContinue } = this.request.head;
    if (minorVersion === 0) return;
    if (head.status === CONTINUE) {
      if (!expectsContinue || this.#continued) return;
      this.#continued = true;
    }
    this.client.transport.write(interimHead(head));
  }

  answers(parser: HeadParser, response: ResponseHead, mode: RelayMode): string {
    const { head, id } = this.request;
    const { framing } = response;
    this.status = response.status;
    this.body.forget();
    // A request that is answered before it was read ends its connection: what follows cannot be told from its body.
    const endsWithConnection = mode === 'unchunked' || (mode === 'raw' && framing === 'until-close');
    this.#reusable = head.keepAlive && this.body.done && !this.client.closing && !endsWithConnection;
    return clientHead(parser, response, {
      method: head.method,
      requestId: id,
      setCookie: this.#stickyCookie(),
      lines: this.request.limitLines + this.#upstreamLine(),
      replaced: this.#tools.settings.upstreamHeader?.toLowerCase() ?? null,
      chunked: (mode === 'raw' && framing === 'chunked') || mode === 'chunked',
      connection: this.#reusable ? (head.minorVersion === 1 ? null : 'keep-alive') : 'close',
    });
  }

  answered(): void {
    this.#over = true;
    this.client.finished(this.#reusable);
  }

  switches(head: HeadParser): string {
    this.status = head.status;
    return switchingHead(head, {
      requestId: this.request.id,
      setCookie: this.#stickyCookie(),
      lines: this.request.limitLines + this.#upstreamLine(),
      replaced: this.#tools.settings.upstreamHeader?.toLowerCase() ?? null,
    });
  }

  mayGoElsewhere(after: Outcome): boolean {
    if (this.#refusalAfter(after) !== null || !this.#tools.budget.has(this.#tools.settings.retries)) return false;
    return this.pool.hasFitOther(this.leases.map(({ upstream }) => upstream));
  }

  failed(outcome: Outcome, answering: boolean): void {
    if (answering) {
      this.#over = true;
      this.client.broken();
      return;
    }
    this.#attempt = null;
    if (this.#goesOn(outcome)) {
      this.#tools.explainer?.follow(this);
      this.#try();
    } else {
      this.#giveUp(this.leases.at(-1));
    }
  }

  #headForAttempt(): string {
    const { text, trace } = this.request;
    if (trace === null) return text;
    trace.nextAttempt();
    return withTraceparent(text, trace.traceparent);
  }

  #try(): void {
    const tried = this.leases.length === 0 ? NOBODY_TRIED : this.leases.map(({ upstream }) => upstream);
    const found = this.pool.acquire(this.context, tried, this);
    if (found instanceof Lease || typeof found === 'string') this.turn(found);
    else this.#wait(found);
  }

  /** Meanwhile a little of the body is read, so that a client that leaves is noticed; it may take its time with it. */
  #wait(waiting: Waiting): void {
    this.#waiting = waiting;
    this.#waitsSince = this.#tools.now();
    this.#tools.explainer?.follow(this);
    this.context.trail?.waits(this.pool.holds ? 'held' : 'busy');
    if (this.body.done) return;
    this.body.hold(this.client.transport);
    this.client.transport.expireNever();
  }

  #goesOn(outcome: Outcome): boolean {
    const { budget, settings } = this.#tools;
    this.notRepeated = this.#refusalAfter(outcome) ?? (budget.take(settings.retries) ? null : 'budget-spent');
    return this.notRepeated === null;
  }

  /** Why the request is not repeated when the present attempt ends like this; null: it is, if the budget allows it. */
  #refusalAfter(outcome: Outcome): RetryRefusal | null {
    const { head, fields } = this.request;
    const question = {
      outcome,
      method: head.method,
      hasIdempotencyKey: fields.field('idempotency-key') !== undefined,
      bodyReplayable: this.body.replayable,
      attempts: this.leases.length,
      resets: resetsOf(this.leases, outcome),
    };
    return retryRefusal(question, this.#tools.settings.retries);
  }

  /** @param last - the attempt whose failure decides the status; none: nobody could be picked. */
  #giveUp(last: Lease | undefined): void {
    this.#over = true;
    this.status = last?.outcome ? (statusFor(last.outcome, last.lastResort) ?? 502) : 503;
    const { refusal } = this;
    this.client.answer(
      this.status,
      refusal === 'held' ? this.pool.page : null,
      isFull(refusal) ? this.pool.retryAfter : undefined,
    );
  }

  #cancel(): void {
    this.#over = true;
    this.#waiting?.cancel();
    this.#waitEnds(this.#tools.now());
    this.#attempt?.cancel();
  }

  /** @param at - where a lease was found, when that began: a busy thread hears of it later, and from then on it is the attempt's time. */
  #waitEnds(at: number): void {
    if (this.#waiting === null) return;
    this.#waiting = null;
    this.queueMs += at - this.#waitsSince;
    this.context.trail?.waited(at);
  }

  /** Names who answers, with its line end. */
  #upstreamLine(): string {
    const { upstreamHeader } = this.#tools.settings;
    return upstreamHeader === null ? '' : `${upstreamHeader}: ${this.leases.at(-1)?.upstream.id ?? ''}\r\n`;
  }

  #stickyCookie(): string | null {
    const { sticky } = this.pool;
    const upstream = this.leases.at(-1)?.upstream;
    if (sticky === null || upstream === undefined || this.context.affinity() === upstream.id) return null;
    return sticky.issue(upstream, this.request.secure);
  }
}
