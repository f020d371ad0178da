import type { AttemptRecord, EngineSettings } from '../engine.ts';
import { Lease } from '../lease.ts';
import { describeOutcome, type Outcome, statusFor } from '../outcome.ts';
import type { LeaseSeeker, Refusal } from '../pool.ts';
import { RequestContext } from '../request-context.ts';
import { isRepeatable, mayRetry, type RetryBudget } from '../retry.ts';
import type { ServicePool } from '../service-pool.ts';
import type { Upstream } from '../upstream.ts';
import type { Waiting } from '../waiting-line.ts';
import { connectionOptions } from './connection-field.ts';
import { FIELD } from './field-kinds.ts';
import { HeadParser } from './head-parser.ts';
import { RequestBody } from './request-body.ts';
import type { RequestFields, RequestHead } from './request-head.ts';
import { clientHead, interimHead, readResponse, type ResponseHead, switchingHead } from './response-head.ts';
import { type RelayMode, ResponseRelay } from './response-relay.ts';
import type { Transport, TransportOwner } from './transport.ts';
import { Tunnel } from './tunnel.ts';
import type { IdleConnections, UpstreamConnections } from './upstream-connections.ts';

/** What all exchanges of an engine share. */
export interface ExchangeTools {
  readonly connections: UpstreamConnections;
  readonly budget: RetryBudget;
  /** May change at any time. */
  settings: EngineSettings;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** For a response whose head comes in one piece; one that gets the beginning of a head is taken away with it. */
  responseParser: HeadParser;
}

/** The client's side of an exchange. */
export interface ExchangeClient {
  readonly transport: Transport;
  /** The connection shall not be used for another request. */
  readonly closing: boolean;
  /** Sends an answer of our own in place of the upstream's; the exchange is over then. */
  answer(status: number): void;
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
  /** The client's connection is encrypted, as a trusted proxy tells. */
  readonly secure: boolean;
}

/** As nginx logs it: the client left before there was an answer. */
const CLIENT_GONE = 499;
const CLIENT_CLOSED: Outcome = { kind: 'client-closed' };
const CONTINUE = 100;
const SWITCHING = 101;
const FIRST_FINAL = 200;
/** They go out without regard to whether the client takes them: endless ones would fill the memory. */
const MAX_INTERIMS = 100;
/** Methods whose body means nothing (RFC 9110 §9.3), so that many servers do not read it. */
const BODY_UNEXPECTED = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

const NOBODY_TRIED: readonly Upstream[] = [];

type Phase = 'waiting' | 'connecting' | 'sent' | 'answering' | 'tunnel' | 'over';

/** One request of a client, from the first attempt to the last octet of the answer. */
export class Exchange implements TransportOwner, LeaseSeeker {
  readonly request: ExchangeRequest;
  readonly pool: ServicePool;
  /** What the client got; 499 when it left before it got anything. */
  status = CLIENT_GONE;
  readonly #tools: ExchangeTools;
  readonly #client: ExchangeClient;
  readonly #context: RequestContext;
  readonly #body: RequestBody;
  readonly #leases: Lease[] = [];
  #phase: Phase = 'waiting';
  #upstream: Transport | null = null;
  /** While all upstreams are full. */
  #waiting: Waiting | null = null;
  #idle: IdleConnections | null = null;
  /** The present connection has carried other requests, and said nothing to this one. */
  #mayBeStale = false;
  #parser: HeadParser | null = null;
  #response: ResponseHead | null = null;
  /** For how long the upstream keeps an idle connection, in milliseconds. */
  #keepAliveMs = Number.POSITIVE_INFINITY;
  #relay: ResponseRelay | null = null;
  /** The client's connection can be used again after the answer. */
  #reusable = false;
  #continued = false;
  /** Interim responses of the present attempt. */
  #interims = 0;

  constructor(tools: ExchangeTools, client: ExchangeClient, pool: ServicePool, request: ExchangeRequest) {
    const { limits } = tools.settings;
    this.#tools = tools;
    this.#client = client;
    this.pool = pool;
    this.request = request;
    this.#context = new RequestContext(request.fields, pool, tools.now);
    this.#body = new RequestBody(request.head, limits, limits.body);
  }

  start(): void {
    this.#tools.budget.requestStarted();
    this.#attempt();
  }

  /** Whether the whole request was read. */
  get requestDone(): boolean {
    return this.#body.done;
  }

  records(): AttemptRecord[] {
    return this.#leases.map((lease) => ({
      upstream: lease.upstream.id,
      outcome: lease.outcome === null ? 'running' : describeOutcome(lease.outcome),
      headMs: lease.headMs,
    }));
  }

  /** Takes what the client sent of the body. @returns the index after the request's last octet. */
  receiveBody(chunk: Buffer, from: number, to: number): number {
    const { transport } = this.#client;
    const end = this.#body.receive(chunk, from, to, transport);
    const { fault } = this.#body;
    if (fault !== null) {
      this.refuse(fault === 'too-large' ? 413 : 400);
      return to;
    }
    if (this.#body.done) this.#requestSent();
    else this.#watchUpload();
    return end;
  }

  /** The request cannot be read on: it ends here, with an answer when none has begun. */
  refuse(status: number): void {
    if (this.#phase === 'over') return;
    const answered = this.#phase === 'answering';
    this.#release(CLIENT_CLOSED);
    if (answered) {
      this.#client.broken();
      return;
    }
    this.status = status;
    this.#client.answer(status);
  }

  /** The client is gone, or has ended its side: nobody waits for the answer. */
  clientLeft(): void {
    if (this.#phase !== 'over') this.#release(CLIENT_CLOSED);
  }

  /** The client takes octets again. */
  clientDrained(): void {
    if (this.#phase !== 'answering') return;
    this.#upstream?.resume();
    this.#upstream?.expireIn(this.#tools.settings.timeouts.streamIdle);
  }

  connected(): void {
    this.#send();
  }

  received(chunk: Buffer, length: number): void {
    this.#mayBeStale = false;
    if (this.#phase === 'sent') this.#receiveHead(chunk, length);
    else this.#receiveBody(chunk, 0, length);
  }

  drained(): void {
    if (this.#body.done) return;
    this.#client.transport.resume();
    this.#watchUpload();
  }

  ended(): void {
    if (this.#phase === 'answering') {
      if (this.#relay?.end() === true) this.#answered(false);
      else this.#fail({ kind: 'truncated', cause: 'closed before its end' });
    } else {
      this.closed(null);
    }
  }

  expired(): void {
    const { timeouts } = this.#tools.settings;
    if (this.#phase === 'connecting') {
      this.#fail({ kind: 'connect-failed', cause: 'ETIMEDOUT' });
    } else if (this.#phase === 'sent') {
      const cause = this.#body.done
        ? `no answer within ${timeouts.responseHead} ms`
        : `took no byte of the request for ${timeouts.streamIdle} ms`;
      this.#fail({ kind: 'head-timeout', cause });
    } else if (this.#upstream?.paused === true) {
      this.#fail(CLIENT_CLOSED); // nothing can come while the client does not take what came
    } else {
      this.#fail({ kind: 'truncated', cause: `no byte for ${timeouts.streamIdle} ms` });
    }
  }

  closed(cause: string | null): void {
    if (this.#phase === 'connecting') {
      this.#fail({ kind: 'connect-failed', cause: cause ?? 'closed' });
    } else if (this.#phase === 'answering') {
      this.#fail({ kind: 'truncated', cause: cause ?? 'closed before its end' });
    } else if (this.#mayBeStale && this.#mayRepeat) {
      this.#dropUpstream();
      this.#idle?.clear(); // where one was stale, the others are
      this.#open();
    } else {
      this.#fail({ kind: 'reset', cause: cause ?? 'closed before an answer' });
    }
  }

  get #mayRepeat(): boolean {
    const { head, fields } = this.request;
    return this.#body.replayable && isRepeatable(head.method, fields.field('idempotency-key') !== undefined);
  }

  #attempt(): void {
    const tried = this.#leases.length === 0 ? NOBODY_TRIED : this.#leases.map(({ upstream }) => upstream);
    this.#phase = 'waiting';
    const found = this.pool.acquire(this.#context, tried, this);
    if (found instanceof Lease || typeof found === 'string') this.turn(found);
    else this.#waiting = found;
  }

  /** The pool has found an upstream for the request, or has none for it. */
  turn(found: Lease | Refusal): void {
    this.#waiting = null;
    if (typeof found === 'string') {
      if (this.#phase === 'waiting') this.#giveUp(found === 'busy' ? undefined : this.#leases.at(-1));
    } else if (this.#phase === 'waiting') {
      this.#begin(found);
    } else {
      found.release(CLIENT_CLOSED); // the client left between its turn and now
    }
  }

  #begin(lease: Lease): void {
    this.#leases.push(lease);
    this.#idle = this.#tools.connections.of(lease.upstream);
    const idle = this.#idle.take(this);
    if (idle === null) {
      this.#open();
    } else {
      this.#upstream = idle;
      this.#mayBeStale = true;
      this.#send();
    }
  }

  #open(): void {
    const lease = this.#leases.at(-1);
    if (lease === undefined) return;
    this.#phase = 'connecting';
    this.#mayBeStale = false;
    this.#upstream = this.#tools.connections.open(lease.upstream, this);
    this.#upstream.expireIn(this.#tools.settings.timeouts.connect);
  }

  #send(): void {
    const upstream = this.#upstream;
    if (upstream === null) return;
    this.#phase = 'sent';
    this.#interims = 0;
    this.#keepAliveMs = Number.POSITIVE_INFINITY;
    this.#body.sendTo(upstream, this.request.text);
    if (this.#body.done) {
      this.#requestSent();
      return;
    }
    if (upstream.flushed) this.#client.transport.resume();
    this.#watchUpload();
  }

  /** While a request comes in, either the client keeps us waiting or, when it is paused, the upstream does. */
  #watchUpload(): void {
    const { transport } = this.#client;
    const { bodyIdle, streamIdle } = this.#tools.settings.timeouts;
    if (this.#phase === 'answering' || (this.#phase === 'sent' && transport.paused))
      this.#upstream?.expireIn(streamIdle);
    else if (this.#phase === 'sent') this.#upstream?.expireNever();
    if (!transport.paused) transport.expireIn(bodyIdle);
  }

  /** The upstream's time to think starts when it has the whole request, however long the upload took. */
  #requestSent(): void {
    const { transport } = this.#client;
    if (this.request.head.length !== 0) {
      transport.expireNever();
      transport.resume();
    }
    if (this.#phase === 'sent') this.#upstream?.expireIn(this.#tools.settings.timeouts.responseHead);
  }

  #receiveHead(chunk: Buffer, length: number): void {
    const { limits } = this.#tools.settings;
    const upstream = this.#upstream;
    let from = 0;
    // Another attempt may be under way by then: what is left here is no answer to that one.
    while (from < length && this.#phase === 'sent' && this.#upstream === upstream) {
      const parser = this.#parser ?? this.#tools.responseParser;
      if (this.#parser === null) parser.reset(limits);
      const end = parser.scan(chunk, from, length);
      if (end === -1) {
        this.#wait(parser);
        return;
      }
      this.#parser = null;
      from = end;
      if (parser.status === SWITCHING) this.#switch(parser, chunk, from, length);
      else if (parser.status < FIRST_FINAL) this.#inform(parser);
      else this.#answer(parser, chunk, from, length);
    }
  }

  /** The head goes on in the next octets, if it can be one at all. */
  #wait(parser: HeadParser): void {
    if (parser.fault !== null) {
      this.#parser = null;
      this.#fail({ kind: 'reset', cause: `answered with no valid HTTP (${parser.fault})` });
      return;
    }
    if (this.#parser === null) {
      this.#parser = parser;
      this.#tools.responseParser = new HeadParser('response', this.#tools.settings.limits);
    }
  }

  /** Passes an interim response on: those that the client can understand, and a 100 only once, to whoever waits for it. */
  #inform(parser: HeadParser): void {
    const { head } = this.request;
    this.#interims += 1;
    if (this.#interims > MAX_INTERIMS) {
      this.#fail({ kind: 'reset', cause: `answered with more than ${MAX_INTERIMS} interim responses` });
      return;
    }
    if (connectionOptions(parser).close) this.#keepAliveMs = 0; // RFC 9112 §9.6: in whichever response it says so
    if (head.minorVersion === 0) return;
    if (parser.status === CONTINUE) {
      if (!head.expectsContinue || this.#continued) return;
      this.#continued = true;
    }
    this.#client.transport.write(interimHead(parser));
  }

  #answer(parser: HeadParser, chunk: Buffer, from: number, length: number): void {
    const upstream = this.#upstream;
    const lease = this.#leases.at(-1);
    if (upstream === null || lease === undefined) return;
    const { head } = this.request;
    const response = readResponse(parser, head.method);
    if (typeof response === 'string') {
      this.#fail({ kind: 'reset', cause: `answered with no valid HTTP (${response})` });
      return;
    }
    const { timeouts, limits } = this.#tools.settings;
    lease.head(response.status);
    this.#response = response;
    this.#keepAliveMs = Math.min(this.#keepAliveMs, keepAliveOf(parser));
    this.status = response.status;
    this.#phase = 'answering';
    this.#body.forget();
    const mode = relayMode(response, head);
    // A request that is answered before it was read ends its connection: what follows cannot be told from its body.
    const endsWithConnection = mode === 'unchunked' || (mode === 'raw' && response.framing === 'until-close');
    this.#reusable = head.keepAlive && this.#body.done && !this.#client.closing && !endsWithConnection;
    const text = clientHead(parser, response, {
      method: head.method,
      requestId: this.request.id,
      setCookie: this.#stickyCookie(lease),
      chunked: (mode === 'raw' && response.framing === 'chunked') || mode === 'chunked',
      connection: this.#reusable ? (head.minorVersion === 1 ? null : 'keep-alive') : 'close',
    });
    if (isWhole(response, parser)) {
      const end = parser.length + response.length;
      this.#client.transport.write(text + parser.text.slice(parser.length, end));
      this.#answered(from + response.length === length);
      return;
    }
    this.#relay = new ResponseRelay(upstream, this.#client.transport, mode);
    upstream.expireIn(timeouts.streamIdle);
    const end = this.#relay.begin(text, response, limits, chunk, from, length);
    this.#proceed(end, length);
  }

  #receiveBody(chunk: Buffer, from: number, length: number): void {
    const relay = this.#relay;
    if (relay === null) return;
    this.#upstream?.expireIn(this.#tools.settings.timeouts.streamIdle);
    this.#proceed(relay.receive(chunk, from, length), length);
  }

  #proceed(end: number, length: number): void {
    const relay = this.#relay;
    if (relay === null) return;
    if (relay.fault !== null) this.#fail({ kind: 'truncated', cause: `its body is not valid HTTP (${relay.fault})` });
    else if (relay.done) this.#answered(end === length);
  }

  /**
   * The last octet of the answer is written.
   * @param clean - nothing came after it: octets that nobody asked for would be taken for the next answer.
   */
  #answered(clean: boolean): void {
    const upstream = this.#upstream;
    const response = this.#response;
    this.#phase = 'over';
    this.#leases.at(-1)?.release({ kind: 'completed', status: this.status });
    if (upstream !== null) {
      this.#upstream = null;
      upstream.shareBuffer();
      const { upstreamIdle } = this.#tools.settings.timeouts;
      const understood = clean && response?.keepAlive === true && !mayBeMistaken(this.request.head);
      const reusable = understood && this.#body.done && upstream.flushed;
      this.#idle?.give(upstream, reusable ? Math.min(upstreamIdle, this.#keepAliveMs) : 0);
    }
    this.#body.detach();
    this.#client.finished(this.#reusable);
  }

  #switch(parser: HeadParser, chunk: Buffer, from: number, length: number): void {
    const upstream = this.#upstream;
    const lease = this.#leases.at(-1);
    if (upstream === null || lease === undefined) return;
    if (this.request.head.upgrade === null || parser.first(FIELD.upgrade) === undefined) {
      this.#fail({ kind: 'reset', cause: 'switched protocols without being asked' });
      return;
    }
    lease.head(SWITCHING);
    this.status = SWITCHING;
    this.#phase = 'tunnel';
    const { transport } = this.#client;
    transport.write(switchingHead(parser, this.request.id, this.#stickyCookie(lease)));
    const early = this.#client.leave();
    Tunnel.open(transport, upstream, this.#tools.settings.timeouts.bodyIdle, () => {
      this.#phase = 'over';
      lease.release({ kind: 'completed', status: SWITCHING });
      this.#client.closed();
    });
    if (from < length) transport.relay(chunk, from, length, upstream);
    if (early !== null) upstream.relay(early, 0, early.length, transport);
  }

  #stickyCookie({ upstream }: Lease): string | null {
    const { sticky } = this.pool;
    if (sticky === null || this.#context.affinity() === upstream.id) return null;
    return sticky.issue(upstream, this.request.secure);
  }

  /** The attempt is over without a whole answer. */
  #fail(outcome: Outcome): void {
    const answered = this.#phase === 'answering';
    this.#release(outcome);
    if (answered) this.#client.broken();
    else if (this.#goesOn(outcome)) this.#attempt();
    else this.#giveUp(this.#leases.at(-1));
  }

  #goesOn(outcome: Outcome): boolean {
    const { retries } = this.#tools.settings;
    const { head, fields } = this.request;
    const question = {
      outcome,
      method: head.method,
      hasIdempotencyKey: fields.field('idempotency-key') !== undefined,
      bodyReplayable: this.#body.replayable,
      attempts: this.#leases.length,
      resets: this.#leases.filter((lease) => lease.outcome?.kind === 'reset').length,
    };
    return mayRetry(question, retries) && this.#tools.budget.take(retries);
  }

  /** @param last - the attempt whose failure decides the status; none: nobody could be picked. */
  #giveUp(last: Lease | undefined): void {
    this.#phase = 'over';
    this.status = last?.outcome ? (statusFor(last.outcome, last.lastResort) ?? 502) : 503;
    this.#client.answer(this.status);
  }

  #release(outcome: Outcome): void {
    this.#phase = 'over';
    this.#waiting?.cancel();
    this.#waiting = null;
    this.#dropUpstream();
    this.#leases.at(-1)?.release(outcome);
  }

  #dropUpstream(): void {
    const upstream = this.#upstream;
    this.#upstream = null;
    this.#parser = null;
    this.#body.detach();
    if (upstream === null) return;
    upstream.owner = NOBODY;
    upstream.destroy();
  }
}

/** Of a connection that is being destroyed. */
const NOBODY: TransportOwner = {
  received() {},
  ended() {},
  drained() {},
  expired() {},
  closed() {},
};

function relayMode({ framing }: ResponseHead, { minorVersion }: RequestHead): RelayMode {
  if (framing === 'chunked' && minorVersion === 0) return 'unchunked';
  return framing === 'until-close' && minorVersion === 1 ? 'chunked' : 'raw';
}

/**
 * Whether the body of a request may be the next request to a server that expects none with this method (RFC 9110 §9.3.1):
 * its answer to that would come to whoever uses the connection next.
 */
function mayBeMistaken({ method, length }: RequestHead): boolean {
  return length !== 0 && BODY_UNEXPECTED.has(method);
}

/** Whether the body came with the head in one piece, and is short. */
function isWhole({ framing, length }: ResponseHead, parser: HeadParser): boolean {
  return framing === 'none' || (framing === 'length' && length <= parser.text.length - parser.length);
}

/** What `Keep-Alive: timeout=…` promises, less one second for the way. */
function keepAliveOf(parser: HeadParser): number {
  if (!parser.has(FIELD.keepAlive)) return Number.POSITIVE_INFINITY;
  const seconds = /(?:^|[\s,])timeout=(\d{1,9})/i.exec(parser.first(FIELD.keepAlive) ?? '')?.[1];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1_000 - 1_000;
}
