import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import express, { type Express } from 'express';
import { answerFor } from '../answer.ts';
import { TrustedProxies } from '../client-address.ts';
import type { Engine, EngineSettings, Listener, RequestRecord, Routes } from '../engine.ts';
import { RetryBudget } from '../retry.ts';
import type { Upstream } from '../upstream.ts';
import { ClientRequest } from './client-request.ts';
import { Exchange, type ExchangeTools, sendAnswer } from './exchange.ts';
import { ProxyLibrary } from './library.ts';
import { checkRequest } from './request-check.ts';
import { CLIENT_GONE, refuseUpgrade, Upgrade, type UpgradeResult } from './upgrade.ts';
import { UpstreamAgent } from './upstream-agent.ts';

/** Hard bound of Node's parser; the configured limit, which may change while we listen, is checked below it. */
export const MAX_HEAD_BYTES = 256 * 1024;
/** How often Node looks for connections that are too slow with their head; its default of 30 s makes the timeout meaningless. */
const SLOW_CHECK_MS = 1_000;
const CLOSE_CHECK_MS = 50;

export interface MiddlewareEngineOptions {
  readonly routes: Routes;
  readonly settings: EngineSettings;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly onRequest: (record: RequestRecord) => void;
}

/** The engine on Express and http-proxy-middleware. */
export class MiddlewareEngine implements Engine {
  readonly #routes: Routes;
  readonly #onRequest: (record: RequestRecord) => void;
  readonly #now: () => number;
  readonly #library = new ProxyLibrary();
  readonly #budget = new RetryBudget();
  readonly #agents = new Map<string, UpstreamAgent>();
  readonly #app: Express;
  readonly #servers = new Set<Server>();
  /** Which listener a request came in on: Express hands on the request alone. */
  readonly #listenerOf = new WeakMap<IncomingMessage, ListenerState>();
  #settings: EngineSettings;
  #proxies: TrustedProxies;

  constructor(options: MiddlewareEngineOptions) {
    this.#routes = options.routes;
    this.#onRequest = options.onRequest;
    this.#now = options.now;
    this.#settings = options.settings;
    this.#proxies = new TrustedProxies(options.settings.trustedProxies);
    this.#app = express()
      .disable('x-powered-by')
      .use((request, response) => void this.#serve(request, response));
  }

  configure(settings: EngineSettings): void {
    const { connect, upstreamIdle } = this.#settings.timeouts;
    const agentsStay = settings.timeouts.connect === connect && settings.timeouts.upstreamIdle === upstreamIdle;
    this.#settings = settings;
    this.#proxies = new TrustedProxies(settings.trustedProxies);
    for (const server of this.#servers) this.#setTimeouts(server);
    if (!agentsStay) for (const id of [...this.#agents.keys()]) this.forget(id);
  }

  /** Idle connections are closed; requests that run on the agent's other connections go on. */
  forget(upstreamId: string): void {
    const agent = this.#agents.get(upstreamId);
    this.#agents.delete(upstreamId);
    for (const sockets of Object.values(agent?.freeSockets ?? {})) for (const socket of sockets ?? []) socket.destroy();
  }

  async listen(host: string, port: number): Promise<Listener> {
    const state: ListenerState = { closing: false, upgraded: new Set() };
    const server = createServer({
      maxHeaderSize: MAX_HEAD_BYTES,
      connectionsCheckingInterval: SLOW_CHECK_MS,
      requestTimeout: 0,
      // Other protocols than WebSocket are not switched to: the request is answered as an ordinary one (RFC 9110 §7.8).
      shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
    });
    server.maxHeadersCount = 0; // Node would silently drop the fields beyond; ours is an error
    this.#setTimeouts(server);
    server.on('request', (request, response) => {
      this.#listenerOf.set(request, state);
      this.#app(request, response);
    });
    server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head, state));
    server.on('connect', (_request, socket) => refuseUpgrade(socket, 501, undefined, ''));
    server.on('clientError', (error, socket) => refuseBroken(error, socket));
    server.listen(port, host);
    await once(server, 'listening');
    this.#servers.add(server);
    const address = server.address();
    return {
      host,
      port: typeof address === 'object' && address !== null ? address.port : port,
      close: (deadlineMs) => this.#close(server, state, deadlineMs),
    };
  }

  #setTimeouts(server: Server): void {
    server.headersTimeout = this.#settings.timeouts.requestHead;
    server.keepAliveTimeout = this.#settings.timeouts.keepAlive;
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = this.#now();
    const checked = checkRequest(message, this.#settings.limits);
    if (!checked.ok) {
      response.shouldKeepAlive = false;
      sendAnswer(response, '', checked.status, message.headers.accept, checked.detail || undefined);
      return;
    }
    const request = new ClientRequest(message, checked, this.#proxies);
    if (request.target === '*') {
      response
        .writeHead(204, { Allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS', 'X-Request-Id': request.id })
        .end();
      return;
    }
    const pool = this.#routes.match(request.host, request.target);
    const exchange = pool && new Exchange(this.#tools(this.#listenerOf.get(message)), pool, request, response);
    if (exchange) await exchange.run();
    else sendAnswer(response, request.id, 404, request.field('accept'));
    this.#record(request, startedAt, {
      service: pool?.name ?? null,
      status: response.headersSent ? response.statusCode : CLIENT_GONE,
      attempts: exchange?.records() ?? [],
    });
  }

  async #upgrade(message: IncomingMessage, duplex: Duplex, head: Buffer, state: ListenerState): Promise<void> {
    if (!(duplex instanceof Socket)) throw new TypeError('an upgrade came on something that is no socket');
    const socket = duplex;
    socket.on('error', () => socket.destroy());
    const startedAt = this.#now();
    const checked = checkRequest(message, this.#settings.limits);
    if (!checked.ok || message.method !== 'GET' || !message.headers.upgrade) {
      refuseUpgrade(socket, checked.ok ? 400 : checked.status, message.headers.accept, '');
      return;
    }
    const request = new ClientRequest(message, checked, this.#proxies);
    const pool = this.#routes.match(request.host, request.target);
    if (!pool) refuseUpgrade(socket, 404, request.field('accept'), request.id);
    state.upgraded.add(socket);
    const result: UpgradeResult = pool
      ? await new Upgrade(this.#tools(state), pool, request, socket).run(head)
      : { status: 404, attempts: [] };
    state.upgraded.delete(socket);
    this.#record(request, startedAt, { service: pool?.name ?? null, ...result });
  }

  #tools(state: ListenerState | undefined): ExchangeTools {
    return {
      library: this.#library,
      budget: this.#budget,
      settings: () => this.#settings,
      closing: () => state?.closing ?? false,
      agentFor: (upstream) => this.#agentFor(upstream),
      now: this.#now,
    };
  }

  #agentFor(upstream: Upstream): UpstreamAgent {
    let agent = this.#agents.get(upstream.id);
    if (agent === undefined) {
      agent = new UpstreamAgent(this.#settings.timeouts);
      this.#agents.set(upstream.id, agent);
    }
    return agent;
  }

  #record(
    request: ClientRequest,
    startedAt: number,
    end: Pick<RequestRecord, 'service' | 'status' | 'attempts'>,
  ): void {
    const { id, clientAddress: client, method, host, target } = request;
    this.#onRequest({ id, client, method, host, target, ...end, totalMs: this.#now() - startedAt });
  }

  async #close(server: Server, state: ListenerState, deadlineMs: number): Promise<void> {
    state.closing = true;
    this.#servers.delete(server);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // A connection that falls idle later is not closed by `close()` alone.
    const sweep = setInterval(() => server.closeIdleConnections(), CLOSE_CHECK_MS);
    const deadline = setTimeout(() => {
      for (const socket of state.upgraded) socket.destroy();
      server.closeAllConnections();
    }, deadlineMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(deadline);
    if (this.#servers.size === 0) for (const id of [...this.#agents.keys()]) this.forget(id);
  }
}

interface ListenerState {
  closing: boolean;
  readonly upgraded: Set<Socket>;
}

const PARSE_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_INVALID_VERSION: 505,
};

/** What Node's parser refuses never becomes a request; the answer goes onto the bare connection. */
function refuseBroken(error: Error, socket: Duplex): void {
  if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) {
    socket.destroy();
    return;
  }
  const answer = answerFor(PARSE_STATUS['code' in error ? String(error.code) : ''] ?? 400, undefined);
  const head = `HTTP/1.1 ${answer.body.split('\n', 1)[0]}\r\nConnection: close\r\nContent-Type: ${answer.type}\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(answer.body)}\r\n\r\n${answer.body}`);
}
