import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import express, { type Express } from 'express';
import { plainAddress, TrustedProxies } from '../client-address.ts';
import type { Engine, EngineSettings, Listener, RequestRecord, Routes } from '../engine.ts';
import { requestIdOf } from '../fields.ts';
import { RetryBudget } from '../retry.ts';
import type { Upstream } from '../upstream.ts';
import { ClientRequest } from './client-request.ts';
import { Exchange, type ExchangeTools } from './exchange.ts';
import { ProxyLibrary } from './library.ts';
import { HttpListener, type Receiver } from './listener.ts';
import { type CheckedRequest, checkRequest, type RefusedRequest } from './request-check.ts';
import { refuseSocket, sendAnswer } from './respond.ts';
import { Upgrade, type UpgradeResult } from './upgrade.ts';
import { UpstreamAgent } from './upstream-agent.ts';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

export interface MiddlewareEngineOptions {
  readonly routes: Routes;
  readonly settings: EngineSettings;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly onRequest: (record: RequestRecord) => void;
}

/** What is known of a request when it is handed to Express, which hands on the request alone. */
interface Arrival {
  readonly request: ClientRequest;
  readonly listener: HttpListener;
  readonly expectsContinue: boolean;
  readonly startedAt: number;
}

/** The engine on Express and http-proxy-middleware. */
export class MiddlewareEngine implements Engine, Receiver {
  readonly #routes: Routes;
  readonly #onRequest: (record: RequestRecord) => void;
  readonly #now: () => number;
  readonly #library = new ProxyLibrary();
  readonly #budget: RetryBudget;
  readonly #agents = new Map<string, UpstreamAgent>();
  readonly #listeners = new Set<HttpListener>();
  readonly #arrivals = new WeakMap<IncomingMessage, Arrival>();
  readonly #app: Express;
  #settings: EngineSettings;
  #proxies: TrustedProxies;

  constructor(options: MiddlewareEngineOptions) {
    this.#routes = options.routes;
    this.#onRequest = options.onRequest;
    this.#now = options.now;
    this.#budget = new RetryBudget(options.now);
    this.#settings = options.settings;
    this.#proxies = new TrustedProxies(options.settings.trustedProxies);
    this.#app = express()
      .disable('x-powered-by')
      .use((message, response) => {
        const arrival = this.#arrivals.get(message);
        if (arrival === undefined) response.destroy();
        else void this.#serve(arrival, response);
      });
  }

  configure(settings: EngineSettings): void {
    const { connect, upstreamIdle } = this.#settings.timeouts;
    const agentsStay = settings.timeouts.connect === connect && settings.timeouts.upstreamIdle === upstreamIdle;
    this.#settings = settings;
    this.#proxies = new TrustedProxies(settings.trustedProxies);
    for (const listener of this.#listeners) listener.setTimeouts(settings.timeouts);
    if (!agentsStay) this.#forgetAll();
  }

  /** Idle connections are closed; requests that run on the agent's other connections go on. */
  forget(upstreamId: string): void {
    this.#agents.get(upstreamId)?.retire();
    this.#agents.delete(upstreamId);
  }

  async listen(host: string, port: number): Promise<Listener> {
    const listener = await HttpListener.open(host, port, this.#settings.timeouts, this);
    this.#listeners.add(listener);
    return {
      host,
      port: listener.port,
      close: async (deadlineMs) => {
        await listener.close(deadlineMs);
        this.#listeners.delete(listener);
        if (this.#listeners.size === 0) this.#forgetAll();
      },
    };
  }

  request(message: IncomingMessage, response: ServerResponse, listener: HttpListener, expectsContinue: boolean): void {
    const startedAt = this.#now();
    const checked = checkRequest(message, this.#settings.limits);
    if (!checked.ok) {
      const id = this.#recordRefused(message, checked, startedAt);
      response.shouldKeepAlive = false;
      sendAnswer(response, id, checked.status, message.headers.accept, checked.detail);
    } else if (checked.target === '*') {
      response.writeHead(204, { Allow: METHODS }).end();
    } else {
      const request = this.#requestOf(message, checked);
      this.#arrivals.set(message, { request, listener, expectsContinue, startedAt });
      message.url = checked.target; // Express would answer by itself to what it cannot parse
      this.#app(message, response);
    }
  }

  upgrade(message: IncomingMessage, socket: Socket, head: Buffer, listener: HttpListener): void {
    const startedAt = this.#now();
    const checked = checkRequest(message, this.#settings.limits);
    if (checked.ok) {
      void this.#serveUpgrade(this.#requestOf(message, checked), socket, head, listener, startedAt);
      return;
    }
    const id = this.#recordRefused(message, checked, startedAt);
    refuseSocket(socket, checked.status, message.headers.accept, id);
  }

  /** Never rejects: a defect of ours breaks this one request. */
  async #serve({ request, listener, expectsContinue, startedAt }: Arrival, response: ServerResponse): Promise<void> {
    const pool = this.#routes.match(request.host, request.target);
    const exchange = pool && new Exchange(this.#tools(listener), pool, request, response, expectsContinue);
    let defect: unknown;
    try {
      if (exchange) await exchange.run();
      else sendAnswer(response, request.id, 404, request.field('accept'));
    } catch (error) {
      defect = error;
      response.destroy();
    }
    this.#record(request, startedAt, {
      service: pool?.name ?? null,
      status: exchange?.status ?? response.statusCode,
      attempts: exchange?.records() ?? [],
      defect,
    });
  }

  /** Never rejects, as above. */
  async #serveUpgrade(
    request: ClientRequest,
    socket: Socket,
    head: Buffer,
    listener: HttpListener,
    startedAt: number,
  ): Promise<void> {
    const pool = this.#routes.match(request.host, request.target);
    let result: UpgradeResult = { status: 404, attempts: [] };
    let defect: unknown;
    try {
      if (pool) result = await new Upgrade(this.#tools(listener), pool, request, socket).run(head);
      else refuseSocket(socket, 404, request.field('accept'), request.id);
    } catch (error) {
      defect = error;
      socket.destroy();
    }
    this.#record(request, startedAt, { service: pool?.name ?? null, ...result, defect });
  }

  #requestOf(message: IncomingMessage, checked: CheckedRequest): ClientRequest {
    return new ClientRequest(message, checked, this.#proxies);
  }

  #tools(listener: HttpListener): ExchangeTools {
    return {
      library: this.#library,
      budget: this.#budget,
      settings: () => this.#settings,
      closing: () => listener.closing,
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

  #forgetAll(): void {
    for (const id of [...this.#agents.keys()]) this.forget(id);
  }

  /** Returns the id under which the refusal is logged. */
  #recordRefused(message: IncomingMessage, { status }: RefusedRequest, startedAt: number): string {
    const id = requestIdOf(message.rawHeaders, randomUUID);
    this.#onRequest({
      id,
      client: plainAddress(message.socket.remoteAddress ?? ''),
      method: message.method ?? '',
      host: message.headers.host ?? '',
      target: message.url ?? '',
      service: null,
      status,
      attempts: [],
      totalMs: this.#now() - startedAt,
    });
    return id;
  }

  #record(
    request: ClientRequest,
    startedAt: number,
    end: Pick<RequestRecord, 'service' | 'status' | 'attempts'> & { readonly defect: unknown },
  ): void {
    const { id, clientAddress: client, method, host, target } = request;
    this.#onRequest({ id, client, method, host, target, ...end, totalMs: this.#now() - startedAt });
  }
}
