import type { Socket } from 'node:net';
import type { TrustedProxies } from '../client-address.ts';
import type { RequestRecord, Routes } from '../engine.ts';
import type { RequestIds } from '../request-ids.ts';
import { Backlog } from './backlog.ts';
import { ClientPeer } from './client-peer.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeClient, ExchangeRequest, ExchangeTools } from './exchange-parts.ts';
import { HeadParser } from './head-parser.ts';
import { bodyOf, optionsAnswer, ownAnswer } from './own-answer.ts';
import { ProxyProtocolReader } from './proxy-protocol.ts';
import { limited, refusalFor, type RefusalAnswer } from './refusals.ts';
import { readRequest, RequestFields, type RequestHead } from './request-head.ts';
import { exchangeRecord, namesOf, type RefusedRequest, refusedRecord, UNREAD } from './request-records.ts';
import { requestIdOf, requestTraceOf, upstreamHead } from './request-writer.ts';
import type { ClientSockets } from '../client-sockets.ts';
import { Transport, type TransportHost, type TransportOwner } from './transport.ts';

/** What the client connections of an engine share. */
export interface ClientTools extends ExchangeTools {
  readonly host: TransportHost;
  readonly routes: Routes;
  /** May change with the settings. */
  proxies: TrustedProxies;
  /** Null: nobody wants to know. */
  record: ((record: RequestRecord) => void) | null;
  readonly ids: RequestIds;
  readonly clients: ClientSockets;
  /** For a request whose head comes in one piece; one that gets the beginning of a head is taken away with it. */
  requestParser: HeadParser;
}

/** The listener that a connection came in on. */
export interface ConnectionListener {
  /** Every answer that begins says that it is the last on its connection. */
  readonly closing: boolean;
  /** Connections without a request are cut off. */
  readonly hurries: boolean;
  connectionClosed(connection: ClientConnection): void;
}

/** What came after the present request is kept up to this many octets; then the client has to wait. */
const BACKLOG_LIMIT = 64 * 1024;
/** `OPTIONS *` asks about this server as such (RFC 9110 §9.3.7). */
const OPTIONS: RefusalAnswer = { status: 204, termination: 'answered', reason: null, service: null, details: {} };
const NOT_FOUND: RefusalAnswer = { ...OPTIONS, status: 404, termination: 'no-route' };
const TIMED_OUT: RefusalAnswer = { ...OPTIONS, status: 408, termination: 'refused' };

/** One connection of a client: its requests are read one after the other, and answered in that order. */
export class ClientConnection implements TransportOwner, ExchangeClient {
  readonly transport: Transport;
  readonly #tools: ClientTools;
  readonly #listener: ConnectionListener;
  readonly #peer: ClientPeer;
  /** Reads what a proxy in front of us says before all else; null when that is read, or not expected. */
  #proxyHeader: ProxyProtocolReader | null;
  /** Holds the beginning of a head. */
  #parser: HeadParser | null = null;
  #exchange: Exchange | null = null;
  /** When the head of the present request was there, by the engine's clock; 0: nobody wanted to know then. */
  #startedAt = 0;
  /** What came after the present request. */
  #backlog: Backlog | null = null;
  #processing = false;
  /** Our side is ended: what still comes is of no interest. */
  #lingering = false;
  /** The last answer is not with the kernel: the next request waits, or a client that reads nothing would fill the memory. */
  #clogged = false;

  constructor(socket: Socket, tools: ClientTools, listener: ConnectionListener) {
    this.#tools = tools;
    this.#listener = listener;
    this.#proxyHeader = tools.settings.acceptProxyProtocol ? new ProxyProtocolReader() : null;
    this.transport = Transport.accept(socket, this, tools.host);
    this.#peer = new ClientPeer(this.transport.socket, tools);
    this.transport.expireIn(tools.settings.timeouts.requestHead);
  }

  get closing(): boolean {
    return this.#listener.closing;
  }

  /** The listener closes: a connection without a request goes, any other after its present one. */
  shutdown(): void {
    if (this.#exchange === null && this.#parser === null && this.#backlog === null && !this.#clogged) this.#close();
  }

  received(chunk: Buffer, length: number): void {
    if (this.#lingering) return;
    if (this.#proxyHeader !== null) this.#readProxyHeader(this.#proxyHeader, chunk, length);
    else if (this.#backlog === null && !this.#clogged) this.#process(chunk, 0, length);
    else this.#keep(chunk, 0, length);
  }

  ended(): void {
    if (this.#lingering || (this.#exchange === null && (this.#clogged || !this.transport.flushed))) {
      this.transport.end();
      return;
    }
    this.transport.destroy(); // a client that has left cannot be told from one that has only ended its side
  }

  drained(): void {
    this.#exchange?.clientDrained();
    if (!this.#clogged) return;
    this.#clogged = false;
    this.#next();
  }

  expired(): void {
    const exchange = this.#exchange;
    if (exchange !== null) {
      if (!exchange.requestDone && !this.transport.paused) exchange.refuse(408);
    } else if (this.#parser?.begun === true && !this.#lingering) {
      this.#refuse(TIMED_OUT, null, true);
    } else {
      this.transport.abandon();
    }
  }

  closed(): void {
    const exchange = this.#exchange;
    if (exchange !== null) {
      exchange.clientLeft();
      this.#over(exchange);
    }
    this.#listener.connectionClosed(this);
  }

  answer(status: number, page: string | null, retryAfter?: number): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    const { head, fields, id } = exchange.request;
    const close = !head.keepAlive || head.minorVersion === 0 || !exchange.requestDone || this.closing;
    const bodiless = head.method === 'HEAD';
    const accept = fields.field('accept');
    const answer = ownAnswer({ status, requestId: id, accept, page, retryAfter, bodiless, close });
    exchange.ownBytes = bodyOf(answer);
    this.transport.write(answer);
    this.finished(!close);
  }

  finished(reusable: boolean): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.#over(exchange);
    if (!reusable) {
      this.#close();
      return;
    }
    this.#checkFlow();
    if (!this.#clogged && !this.#processing) this.#next();
  }

  /** After an answer: a client that does not take it gets no other. */
  #checkFlow(): void {
    if (this.transport.flows) return;
    this.#clogged = true;
    this.transport.expireIn(this.#tools.settings.timeouts.streamIdle);
  }

  broken(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.#over(exchange);
    // Without a length or chunks a client takes an orderly close for the end of the body.
    if (exchange.request.head.minorVersion === 0) this.transport.reset();
    else this.transport.destroy();
  }

  leave(): Buffer | null {
    const backlog = this.#backlog?.take() ?? null;
    this.#backlog = null;
    return backlog;
  }

  /** Goes on with what came meanwhile. */
  #next(): void {
    const backlog = this.leave();
    if (backlog !== null) this.#process(backlog, 0, backlog.length, true);
    if (this.#exchange !== null || this.#lingering || this.#clogged) return;
    this.transport.resume();
    if (this.#parser !== null) return; // the time for its head goes on
    // When it only retires, a client that was not told may be sending its next request.
    if (this.#listener.hurries) this.#close();
    else this.transport.expireIn(this.#tools.settings.timeouts.keepAlive);
  }

  /** @param isOurs - `chunk` is no read buffer: what is left of it can be kept as it is, however many requests it holds. */
  #process(chunk: Buffer, from: number, to: number, isOurs = false): void {
    this.#processing = true;
    let at = from;
    while (at < to && !this.#lingering) {
      const exchange = this.#exchange;
      if (exchange !== null && !exchange.requestDone) {
        at = exchange.receiveBody(chunk, at, to);
      } else if (exchange !== null || this.#clogged) {
        if (isOurs) this.#backlog = Backlog.of(chunk.subarray(at, to));
        else this.#keep(chunk, at, to);
        this.#limitBacklog(); // also when the end of a body has just set the client going again
        break;
      } else {
        at = this.#readHead(chunk, at, to);
      }
    }
    this.#processing = false;
    if (this.#exchange === null && this.#parser === null && !this.#lingering && !this.#clogged) {
      this.transport.expireIn(this.#tools.settings.timeouts.keepAlive);
    }
  }

  #readProxyHeader(reader: ProxyProtocolReader, chunk: Buffer, length: number): void {
    const end = reader.scan(chunk, 0, length);
    if (end !== -1) {
      this.#proxyHeader = null;
      this.#peer.proxied = reader.connection;
      if (end < length) this.#process(chunk, end, length); // else the time for the head goes on
    } else if (reader.fault !== null) {
      const answer = { status: 400, termination: 'refused', reason: reader.fault, service: null } as const;
      const client = this.#peer.known().address;
      this.#record({ id: this.#tools.ids.make(), client, ...UNREAD, sentBytes: 0 }, answer);
      this.transport.destroy(); // nothing says that this is HTTP
    }
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    this.#backlog ??= new Backlog();
    this.#backlog.add(chunk, from, to);
    this.#limitBacklog();
  }

  #limitBacklog(): void {
    if (this.#backlog !== null && this.#backlog.length > BACKLOG_LIMIT) this.transport.pause();
  }

  #readHead(chunk: Buffer, from: number, to: number): number {
    const tools = this.#tools;
    const parser = this.#parser ?? tools.requestParser;
    if (this.#parser === null) parser.reset(tools.settings.limits);
    const end = parser.scan(chunk, from, to);
    if (end !== -1) {
      this.#parser = null;
      return this.#receiveHead(parser, chunk, end, to);
    }
    if (parser.fault !== null) {
      this.#refuse(refusalFor(parser.fault), null, true);
    } else if (this.#parser === null) {
      this.#parser = parser;
      tools.requestParser = new HeadParser('request', tools.settings.limits);
      this.transport.expireIn(tools.settings.timeouts.requestHead);
    }
    return to;
  }

  #receiveHead(parser: HeadParser, chunk: Buffer, from: number, to: number): number {
    const tools = this.#tools;
    this.#startedAt = tools.now();
    const head = readRequest(parser, tools.settings.limits.body);
    if (typeof head === 'string') {
      this.#refuse(refusalFor(head), parser, true);
      return to;
    }
    const found = head.target === '*' ? null : tools.routes.match(head.host, head.target);
    if (!found) return this.#turnAway(found === null ? OPTIONS : NOT_FOUND, parser, head, from, to);
    const { pool, limiter } = found;
    const fields = this.#fieldsOf(parser, head);
    let limitLines = '';
    if (limiter !== null) {
      const verdict = limiter.check(fields);
      if (!verdict.granted)
        return this.#turnAway(limited(pool.name, limiter.detailsFor(verdict)), parser, head, from, to);
      limitLines = limiter.linesFor(verdict);
    }
    const exchange = new Exchange(tools, this, pool, this.#requestOf(parser, head, fields, limitLines));
    this.#exchange = exchange;
    this.transport.expireNever();
    const end = exchange.requestDone ? from : exchange.receiveBody(chunk, from, to);
    if (this.#exchange === exchange) exchange.start();
    return end;
  }

  /** A request that can be read and goes to no upstream. @returns where to go on in the chunk. */
  #turnAway(answer: RefusalAnswer, parser: HeadParser, head: RequestHead, from: number, to: number): number {
    const close = !head.keepAlive || head.minorVersion === 0 || head.length !== 0 || this.closing;
    this.#refuse(answer, parser, close);
    return close ? to : from;
  }

  #fieldsOf(parser: HeadParser, head: RequestHead): RequestFields {
    return new RequestFields(parser.text, head.target, this.#peer.addressFor(parser));
  }

  #requestOf(parser: HeadParser, head: RequestHead, fields: RequestFields, limitLines: string): ExchangeRequest {
    const id = requestIdOf(parser, this.#tools.ids);
    const trace = requestTraceOf(parser, this.#tools.tracer);
    const text = upstreamHead(parser, head, this.#peer.known(), id, trace);
    return { id, head, fields, text, limitLines, secure: this.#peer.isSecure(parser), trace };
  }

  /** Answers a request that goes to no upstream. @param parser - null when its head could not be read. */
  #refuse(answer: RefusalAnswer, parser: HeadParser | null, close: boolean): void {
    const { status, details } = answer;
    const id = parser === null ? this.#tools.ids.make() : requestIdOf(parser, this.#tools.ids);
    const read = parser === null ? UNREAD : this.#readOf(parser);
    const { names, fields } = read;
    this.#parser = null;
    let sentBytes = 0;
    if (answer === OPTIONS) {
      this.transport.write(optionsAnswer(id, close));
    } else {
      const [accept, bodiless] = [fields?.field('accept'), names.method === 'HEAD'];
      const text = ownAnswer({ ...details, status, requestId: id, accept, bodiless, close });
      sentBytes = bodyOf(text);
      this.transport.write(text);
    }
    const client = parser === null ? this.#peer.known().address : this.#peer.addressFor(parser);
    this.#record({ id, client, ...read, sentBytes }, answer);
    if (close) this.#close();
    else this.#checkFlow();
  }

  #readOf(parser: HeadParser): Omit<RefusedRequest, 'id' | 'client' | 'sentBytes'> {
    const names = namesOf(parser);
    return {
      names,
      fields: new RequestFields(parser.text, names.target, ''),
      secure: this.#peer.isSecure(parser),
      trace: requestTraceOf(parser, this.#tools.tracer),
    };
  }

  /** Of a request that got no further than here. */
  #record(request: RefusedRequest, { status, termination, service, reason }: Omit<RefusalAnswer, 'details'>): void {
    const { record, tracer, explainer, now, wallTime } = this.#tools;
    const { id, client, names, trace } = request;
    const { method, host, target } = names;
    explainer?.refuse({ id, client, method, host, target, service, trace }, status, reason);
    if (record === null && tracer === null) return;
    const endedAt = now();
    const startedAt = request.fields === null ? endedAt : this.#startedAt;
    const times = { at: wallTime.of(startedAt), totalMs: endedAt - startedAt };
    const made = refusedRecord({ ...request, ...times, status, termination, service, reason });
    record?.(made);
    tracer?.ended(made);
  }

  #over(exchange: Exchange): void {
    this.#exchange = null;
    const { record, tracer, explainer, now, wallTime } = this.#tools;
    const endedAt = now();
    exchange.pool.ended(exchange, endedAt - this.#startedAt);
    explainer?.over(exchange);
    if (record === null && exchange.request.trace?.sampled !== true) return;
    const made = exchangeRecord(exchange, this.#startedAt, endedAt, wallTime.of(this.#startedAt));
    record?.(made);
    tracer?.ended(made);
  }

  #close(): void {
    this.#lingering = true;
    this.#backlog = null;
    this.transport.close(this.#tools.settings.timeouts.streamIdle);
  }
}
