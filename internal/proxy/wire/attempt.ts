import type { Lease } from '../lease.ts';
import type { Outcome } from '../outcome.ts';
import { isRepeatable } from '../retry.ts';
import { givenUp, isThat, type SilentUpstream } from '../silent-upstream.ts';
import { connectionOptions } from './connection-field.ts';
import type { ExchangeClient, ExchangeRequest, ExchangeTools } from './exchange-parts.ts';
import { FIELD } from './field-kinds.ts';
import { HeadParser } from './head-parser.ts';
import type { RequestBody } from './request-body.ts';
import type { RequestHead } from './request-head.ts';
import { readResponse, type ResponseHead } from './response-head.ts';
import { type RelayMode, ResponseRelay } from './response-relay.ts';
import type { Transport, TransportOwner } from './transport.ts';
import { Tunnel } from './tunnel.ts';
import type { ConnectionsTo } from './upstream-connections.ts';

/** The exchange that an attempt is made for. */
export interface AttemptOwner {
  readonly request: ExchangeRequest;
  readonly client: ExchangeClient;
  readonly body: RequestBody;
  /** The upload has stopped or goes on. */
  uploading(): void;
  /** An interim response came, other than 101. */
  informed(head: HeadParser): void;
  /** The final head came. @returns the head as the client gets it. */
  answers(head: HeadParser, response: ResponseHead, mode: RelayMode): string;
  /** The last octet of the answer is written. */
  answered(): void;
  /** The upstream switches protocols. @returns the head as the client gets it. */
  switches(head: HeadParser): string;
  /** Whether the request would be repeated on somebody fit if the attempt ended like this. */
  mayGoElsewhere(after: Outcome): boolean;
  /** The attempt is over without a whole answer. @param answering - the client has the beginning of one. */
  failed(outcome: Outcome, answering: boolean): void;
}

const CLIENT_CLOSED: Outcome = { kind: 'client-closed' };
const SWITCHING = 101;
const FIRST_FINAL = 200;
/** They go out without regard to whether the client takes them: endless ones would fill the memory. */
const MAX_INTERIMS = 100;
/** Methods whose body means nothing (RFC 9110 §9.3), so that many servers do not read it. */
const BODY_UNEXPECTED = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

const NOTHING = { received: 0, sent: 0 };

type Phase = 'connecting' | 'sent' | 'answering' | 'tunnel' | 'over';

/** One attempt at one upstream: from the connection, an idle or a new one, to the last octet of the answer. */
export class Attempt implements TransportOwner {
  readonly #lease: Lease;
  readonly #tools: ExchangeTools;
  readonly #owner: AttemptOwner;
  readonly #connections: ConnectionsTo;
  /** As the upstream gets it. */
  readonly #head: string;
  #phase: Phase = 'connecting';
  #upstream: Transport | null = null;
  /** The connection has carried other requests, and said nothing to this one. */
  #mayBeStale = false;
  /** Holds the beginning of a head. */
  #parser: HeadParser | null = null;
  #response: ResponseHead | null = null;
  /** For how long the upstream keeps an idle connection, in milliseconds. */
  #keepAliveMs = Number.POSITIVE_INFINITY;
  #relay: ResponseRelay | null = null;
  #interims = 0;
  /** What the client's connection had carried before it became a tunnel's. */
  #beforeTunnel: { readonly client: Transport; readonly received: number; readonly sent: number } | null = null;

  /** @param head - as the upstream gets it. */
  constructor(tools: ExchangeTools, owner: AttemptOwner, lease: Lease, head: string) {
    this.#tools = tools;
    this.#owner = owner;
    this.#lease = lease;
    this.#head = head;
    this.#connections = tools.connections.of(lease.upstream);
  }

  start(): void {
    const idle = this.#connections.take(this);
    if (idle === null) {
      this.#open();
    } else {
      this.#upstream = idle;
      this.#mayBeStale = true;
      this.#lease.connected(true);
      this.#send();
    }
  }

  get isAnswering(): boolean {
    return this.#phase === 'answering';
  }

  /** Octets of the answer's body that went to the client. */
  get bodySize(): number {
    return this.#relay?.size ?? this.#response?.length ?? 0;
  }

  /** Octets that the client has sent through the tunnel that the request became, and got. */
  get tunnelled(): { readonly received: number; readonly sent: number } {
    if (this.#beforeTunnel === null) return NOTHING;
    const { client, received, sent } = this.#beforeTunnel;
    return { received: client.socket.bytesRead - received, sent: client.socket.bytesWritten - sent };
  }

  /** Nobody waits for the answer any more. */
  cancel(): void {
    this.#drop();
    this.#lease.release(CLIENT_CLOSED);
  }

  /** The upstream's time to think starts when it has the whole request, however long the upload took. */
  requestSent(): void {
    if (this.#phase !== 'sent') return;
    this.#upstream?.expireIn(this.#tools.settings.timeouts.responseHead);
    this.#lease.sent();
  }

  /** While a request comes in, either the client keeps us waiting or, when it is paused, the upstream does. */
  watchUpload(): void {
    const { streamIdle, responseHead } = this.#tools.settings.timeouts;
    const waits = this.#phase === 'answering' || (this.#phase === 'sent' && this.#owner.client.transport.paused);
    if (waits) this.#upstream?.expireIn(streamIdle);
    else if (this.#awaitsInvitation) this.#upstream?.expireIn(responseHead);
    else if (this.#phase === 'sent') this.#upstream?.expireNever();
  }

  /** The client sends nothing before the upstream has said something. */
  get #awaitsInvitation(): boolean {
    const { body, request } = this.#owner;
    return this.#phase === 'sent' && request.head.expectsContinue && !body.begun && this.#interims === 0;
  }

  /** The client takes octets again. */
  clientDrained(): void {
    if (this.#phase !== 'answering') return;
    this.#upstream?.resume();
    this.#upstream?.expireIn(this.#tools.settings.timeouts.streamIdle);
  }

  connected(): void {
    this.#lease.connected(false);
    this.#send();
  }

  received(chunk: Buffer, length: number): void {
    this.#mayBeStale = false;
    if (this.#phase === 'sent') this.#receiveHead(chunk, length);
    else this.#receiveBody(chunk, 0, length);
  }

  drained(): void {
    const { body, client } = this.#owner;
    if (body.done) return;
    client.transport.resume();
    this.#owner.uploading();
  }

  ended(): void {
    if (this.#phase === 'answering') {
      if (this.#relay?.end() === true) this.#answered(false);
      else this.#fail({ kind: 'truncated', cause: 'closed before its end' });
    } else {
      this.closed(null);
    }
  }

  rescue(from: SilentUpstream): void {
    if (!isThat(from, this.#lease.upstream)) return;
    if (this.#phase !== 'connecting' && this.#phase !== 'sent') return;
    const outcome = givenUp(from, this.#phase === 'sent');
    if (outcome !== null && this.#owner.mayGoElsewhere(outcome)) this.#fail(outcome);
  }

  expired(): void {
    const { timeouts } = this.#tools.settings;
    if (this.#phase === 'connecting') {
      this.#fail({ kind: 'connect-failed', cause: 'ETIMEDOUT' });
    } else if (this.#phase === 'sent') {
      const cause =
        this.#owner.body.done || this.#awaitsInvitation
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
      this.#drop();
      this.#connections.clear(); // where one was stale, the others are
      this.#open();
    } else {
      this.#fail({ kind: 'reset', cause: cause ?? 'closed before an answer' });
    }
  }

  get #mayRepeat(): boolean {
    const { body, request } = this.#owner;
    return body.replayable && isRepeatable(request.head.method, request.fields.field('idempotency-key') !== undefined);
  }

  #open(): void {
    this.#phase = 'connecting';
    this.#mayBeStale = false;
    this.#upstream = this.#connections.open(this);
    this.#upstream.expireIn(this.#tools.settings.timeouts.connect);
  }

  #send(): void {
    const upstream = this.#upstream;
    if (upstream === null) return;
    const { body, client } = this.#owner;
    this.#phase = 'sent';
    body.sendTo(upstream, this.#head);
    if (body.done) {
      this.requestSent();
      return;
    }
    if (upstream.flows) client.transport.resume();
    this.#owner.uploading();
  }

  #receiveHead(chunk: Buffer, length: number): void {
    const { limits } = this.#tools.settings;
    let from = 0;
    while (from < length && this.#phase === 'sent') {
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
      this.#fail({ kind: 'reset', cause: `answered with no valid HTTP (${parser.fault})` });
      return;
    }
    if (this.#parser === null) {
      this.#parser = parser;
      this.#tools.responseParser = new HeadParser('response', this.#tools.settings.limits);
    }
  }

  #inform(parser: HeadParser): void {
    this.#interims += 1;
    if (this.#interims > MAX_INTERIMS) {
      this.#fail({ kind: 'reset', cause: `answered with more than ${MAX_INTERIMS} interim responses` });
      return;
    }
    if (connectionOptions(parser).close) this.#keepAliveMs = 0; // RFC 9112 §9.6: in whichever response it says so
    this.#owner.informed(parser);
    if (!this.#owner.body.done) this.#owner.uploading();
  }

  #answer(parser: HeadParser, chunk: Buffer, from: number, length: number): void {
    const upstream = this.#upstream;
    if (upstream === null) return;
    const { client, request } = this.#owner;
    const response = readResponse(parser, request.head.method);
    if (typeof response === 'string') {
      this.#fail({ kind: 'reset', cause: `answered with no valid HTTP (${response})` });
      return;
    }
    this.#lease.head(response.status);
    this.#response = response;
    this.#keepAliveMs = Math.min(this.#keepAliveMs, keepAliveOf(parser));
    this.#phase = 'answering';
    const mode = relayMode(response, request.head);
    const head = this.#owner.answers(parser, response, mode);
    if (isWhole(response, parser)) {
      const end = parser.length + response.length;
      client.transport.write(head + parser.text.slice(parser.length, end));
      this.#answered(from + response.length === length);
      return;
    }
    const { timeouts, limits } = this.#tools.settings;
    this.#relay = new ResponseRelay(upstream, client.transport, mode);
    upstream.expireIn(timeouts.streamIdle);
    const end = this.#relay.begin(head, response, limits, chunk, from, length);
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
    if (upstream === null || response === null) return;
    const { body, request } = this.#owner;
    this.#phase = 'over';
    this.#upstream = null;
    this.#lease.release({ kind: 'completed', status: response.status });
    upstream.shareBuffer();
    const understood = clean && response.keepAlive && !mayBeMistaken(request.head);
    const reusable = understood && body.done && upstream.flushed;
    const { upstreamIdle } = this.#tools.settings.timeouts;
    this.#connections.give(upstream, reusable ? Math.min(upstreamIdle, this.#keepAliveMs) : 0);
    body.detach();
    this.#owner.answered();
  }

  #switch(parser: HeadParser, chunk: Buffer, from: number, length: number): void {
    const upstream = this.#upstream;
    if (upstream === null) return;
    const { client, request } = this.#owner;
    if (request.head.upgrade === null || parser.first(FIELD.upgrade) === undefined) {
      this.#fail({ kind: 'reset', cause: 'switched protocols without being asked' });
      return;
    }
    this.#lease.head(SWITCHING);
    this.#phase = 'tunnel';
    const { transport } = client;
    transport.write(this.#owner.switches(parser));
    const early = client.leave();
    const { bytesRead, bytesWritten } = transport.socket;
    this.#beforeTunnel = { client: transport, received: bytesRead - (early?.length ?? 0), sent: bytesWritten };
    this.#connections.becomesTunnel(upstream);
    Tunnel.open(transport, upstream, this.#tools.settings.timeouts.bodyIdle, () => {
      this.#phase = 'over';
      this.#lease.release({ kind: 'completed', status: SWITCHING });
      client.closed();
    });
    if (from < length) transport.relay(chunk, from, length, upstream);
    if (early !== null) upstream.relay(early, 0, early.length, transport);
  }

  #fail(outcome: Outcome): void {
    const answering = this.#phase === 'answering';
    this.#drop();
    this.#lease.release(outcome);
    this.#owner.failed(outcome, answering);
  }

  #drop(): void {
    const upstream = this.#upstream;
    this.#phase = 'over';
    this.#upstream = null;
    this.#parser = null;
    this.#owner.body.detach();
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
