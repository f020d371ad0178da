import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AnswerDetails } from '../answer.ts';
import { plainAddress, TrustedProxies } from '../client-address.ts';
import type { Destination } from '../destination.ts';
import type { EngineSettings, RequestRecord, Routes } from '../engine.ts';
import { type Explainer, explainerFor, NOTHING_KEPT } from '../explain/explainer.ts';
import { type Search, searchOf } from '../explain/search.ts';
import { requestIdOf } from '../fields.ts';
import { isFailureStatus } from '../outcome.ts';
import { RATE_LIMITED } from '../rate-limit/rate-limiter.ts';
import { RequestIds } from '../request-ids.ts';
import { RetryBudget } from '../retry.ts';
import type { ServicePool } from '../service-pool.ts';
import type { Upstream } from '../upstream.ts';
import { ClientRequest } from './client-request.ts';
import { Exchange, type ExchangeTools } from './exchange.ts';
import { ProxyLibrary } from './library.ts';
import { checkRequest, type RefusedRequest } from './request-check.ts';
import { refuseSocket, sendAnswer } from './respond.ts';
import { Upgrade, type UpgradeResult } from './upgrade.ts';
import { UpstreamAgent } from './upstream-agent.ts';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

export interface ForwarderOptions {
  readonly routes: Routes;
  readonly settings: EngineSettings;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly onRequest: (record: RequestRecord) => void;
}

/** Whoever took the connection of a request. */
export interface Origin {
  /** It is about to stop: clients shall not use their connections again. */
  readonly closing: boolean;
}

/** The answer to a request that goes to no upstream. */
interface TurnedAway {
  readonly end: RequestEnd;
  readonly details: AnswerDetails;
}

/** What became of a request, for its record. */
type RequestEnd = Pick<RequestRecord, 'service' | 'algorithm' | 'status' | 'attempts' | 'refusal' | 'defect'>;

/** Checks requests and relays them over the pools, whoever listens: a listener of ours, or a server that embeds us. */
export class Forwarder {
  readonly #routes: Routes;
  readonly #onRequest: (record: RequestRecord) => void;
  readonly #now: () => number;
  readonly #library = new ProxyLibrary();
  readonly #budget: RetryBudget;
  readonly #ids = new RequestIds();
  readonly #agents = new Map<string, UpstreamAgent>();
  #settings: EngineSettings;
  #explainer: Explainer | null;
  #proxies: TrustedProxies;

  constructor(options: ForwarderOptions) {
    this.#routes = options.routes;
    this.#onRequest = options.onRequest;
    this.#now = options.now;
    this.#budget = new RetryBudget(options.now);
    this.#settings = options.settings;
    this.#proxies = new TrustedProxies(options.settings.trustedProxies);
    this.#explainer = this.#explainerFor(options.settings, null);
  }

  get settings(): EngineSettings {
    return this.#settings;
  }

  configure(settings: EngineSettings): void {
    const { connect, upstreamIdle } = this.#settings.timeouts;
    const agentsStay = settings.timeouts.connect === connect && settings.timeouts.upstreamIdle === upstreamIdle;
    this.#settings = settings;
    this.#proxies = new TrustedProxies(settings.trustedProxies);
    this.#explainer = this.#explainerFor(settings, this.#explainer);
    if (!agentsStay) this.forgetAll();
  }

  explain(id: string): Search {
    return searchOf(new Map([[0, this.#explainer?.find(id) ?? NOTHING_KEPT]]));
  }

  #explainerFor({ explain }: EngineSettings, explainer: Explainer | null): Explainer | null {
    return explainerFor(explain, { explainer, ids: this.#ids, now: this.#now });
  }

  /** Idle connections are closed; requests that run on the agent's other connections go on. */
  forget(upstreamId: string): void {
    this.#agents.get(upstreamId)?.retire();
    this.#agents.delete(upstreamId);
  }

  forgetAll(): void {
    for (const id of [...this.#agents.keys()]) this.forget(id);
  }

  /** The request as it may go on; null when it may not, and is answered. */
  admit(message: IncomingMessage, response: ServerResponse): ClientRequest | null {
    const startedAt = this.#now();
    const checked = checkRequest(message, this.#settings.limits);
    if (!checked.ok) {
      const id = this.#recordRefused(message, checked, startedAt);
      response.shouldKeepAlive = false;
      sendAnswer(response, id, checked.status, message.headers.accept, { detail: checked.detail });
      return null;
    }
    if (checked.target === '*') {
      const id = requestIdOf(message.rawHeaders, this.#ids);
      response.writeHead(204, { Allow: METHODS, 'X-Request-Id': id }).end();
      return null;
    }
    return new ClientRequest(message, checked, this.#proxies, this.#ids, startedAt);
  }

  /**
   * Resolves when the response is over. Never rejects: a defect of ours breaks this one request.
   * @param expectsContinue - the client waits for a 100 before it sends the body.
   */
  async serve(request: ClientRequest, response: ServerResponse, from: Origin, expectsContinue: boolean): Promise<void> {
    const found = this.#admission(request);
    if ('end' in found) {
      if (!request.hasBody) await Promise.resolve(); // Node has seen its end by then, and the connection can be kept
      this.#turnAway(request, found, response, (...answer) => sendAnswer(response, request.id, ...answer));
      return;
    }
    const exchange = new Exchange(this.#tools(from), found.pool, request, response, expectsContinue);
    let defect: unknown;
    try {
      await exchange.run();
    } catch (error) {
      defect = error;
      response.destroy();
    }
    found.pool.ended(exchange.status, defect !== undefined || exchange.hasFailed);
    this.#explainer?.over(exchange);
    const { status, refusal } = exchange;
    const end = { status, attempts: exchange.records(), ...(refusal !== null && { refusal }), defect };
    this.#record(request, { ...namesOf(found.pool), ...end });
  }

  /** Resolves when the client's connection is closed, or has been refused. Never rejects, as above. */
  async upgrade(message: IncomingMessage, socket: Socket, head: Buffer, from: Origin): Promise<void> {
    const startedAt = this.#now();
    const checked = checkRequest(message, this.#settings.limits);
    if (!checked.ok) {
      refuseSocket(socket, checked.status, this.#recordRefused(message, checked, startedAt), message.headers.accept);
      return;
    }
    const request = new ClientRequest(message, checked, this.#proxies, this.#ids, startedAt);
    const found = this.#admission(request);
    if ('end' in found) {
      this.#turnAway(request, found, socket, (status, accept, details) =>
        refuseSocket(socket, status, request.id, accept, details),
      );
      return;
    }
    const upgrade = new Upgrade(this.#tools(from), found.pool, request, socket);
    let result: UpgradeResult = { status: 502, attempts: [] };
    let defect: unknown;
    try {
      result = await upgrade.run(head);
    } catch (error) {
      defect = error;
      socket.destroy();
    }
    found.pool.ended(result.status, defect !== undefined || isFailureStatus(result.status));
    this.#explainer?.over(upgrade);
    this.#record(request, { ...namesOf(found.pool), ...result, defect });
  }

  /** Where a request goes; what it is answered with when it goes nowhere. */
  #admission(request: ClientRequest): Destination | TurnedAway {
    const found = this.#routes.match(request.host, request.target);
    if (found === undefined) return { end: { status: 404, service: null, attempts: [] }, details: {} };
    const { pool, limiter } = found;
    if (limiter === null) return found;
    const verdict = limiter.check(request);
    if (!verdict.granted) {
      const end = { ...RATE_LIMITED, service: pool.name, attempts: [] };
      return { end, details: limiter.detailsFor(verdict) };
    }
    request.limitFields = limiter.fieldsFor(verdict);
    return found;
  }

  #turnAway(
    request: ClientRequest,
    { end, details }: TurnedAway,
    connection: { destroy(): unknown },
    answer: (status: number, accept: string | undefined, details: AnswerDetails) => void,
  ): void {
    let defect: unknown;
    try {
      answer(end.status, request.field('accept'), details);
    } catch (error) {
      defect = error;
      connection.destroy();
    }
    const { id, clientAddress: client, method, host, target } = request;
    this.#explainer?.refuse(
      { id, client, method, host, target, service: end.service },
      end.status,
      end.refusal ?? null,
    );
    this.#record(request, { ...end, defect });
  }

  #tools(from: Origin): ExchangeTools {
    return {
      library: this.#library,
      budget: this.#budget,
      explainer: this.#explainer,
      settings: () => this.#settings,
      closing: () => from.closing,
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

  /** Answers an upgrade that goes to nobody, whatever it asks for. */
  refuse(message: IncomingMessage, socket: Socket, status: number): void {
    refuseSocket(socket, status, requestIdOf(message.rawHeaders, this.#ids), message.headers.accept);
  }

  /** What never became a request, because Node's parser refused it. @returns its id. */
  unreadable(client: string, status: number, refusal: string): string {
    const id = this.#ids.make();
    const names = { client: plainAddress(client), method: '', host: '', target: '' };
    this.#explainer?.refuse({ id, ...names, service: null }, status, refusal);
    return id;
  }

  /** Returns the id under which the refusal is logged. */
  #recordRefused(message: IncomingMessage, { status, detail }: RefusedRequest, startedAt: number): string {
    const facts = {
      id: requestIdOf(message.rawHeaders, this.#ids),
      client: plainAddress(message.socket.remoteAddress ?? ''),
      method: message.method ?? '',
      host: message.headers.host ?? '',
      target: message.url ?? '',
      service: null,
    };
    this.#explainer?.refuse(facts, status, detail ?? null);
    this.#onRequest({ ...facts, status, attempts: [], totalMs: this.#now() - startedAt });
    return facts.id;
  }

  #record(request: ClientRequest, end: RequestEnd): void {
    const { id, clientAddress: client, method, host, target, startedAt } = request;
    this.#onRequest({ id, client, method, host, target, ...end, totalMs: this.#now() - startedAt });
  }
}

/** Of the service that a request was relayed to, for its record. */
function namesOf(pool: ServicePool): Pick<RequestRecord, 'service' | 'algorithm'> {
  return { service: pool.name, algorithm: pool.balancer.algorithm };
}
