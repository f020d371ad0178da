import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { AnswerDetails } from '../answer.ts';
import { plainAddress, TrustedProxies } from '../client-address.ts';
import type { Destination } from '../destination.ts';
import type { EngineSettings, RequestRecord, Routes } from '../engine.ts';
import { type Explainer, explainerFor, NOTHING_KEPT } from '../explain/explainer.ts';
import { type Search, searchOf } from '../explain/search.ts';
import { requestIdOf, valuesOf } from '../fields.ts';
import { isFailureStatus } from '../outcome.ts';
import { RATE_LIMITED } from '../rate-limit/rate-limiter.ts';
import { RequestIds } from '../request-ids.ts';
import { RetryBudget } from '../retry.ts';
import type { ServicePool } from '../service-pool.ts';
import type { SilentUpstream } from '../silent-upstream.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import type { TracedRequest } from '../tracing/traced-request.ts';
import { type Tracer, tracerFor } from '../tracing/tracer.ts';
import type { Upstream } from '../upstream.ts';
import { ClientRequest, fieldOf } from './client-request.ts';
import { Exchange, type ExchangeEnd, type ExchangeTools } from './exchange.ts';
import { ProxyLibrary } from './library.ts';
import { checkRequest, type RefusedRequest } from './request-check.ts';
import { refuseSocket, sendAnswer } from './respond.ts';
import { Upgrade } from './upgrade.ts';
import { UpstreamAgent } from './upstream-agent.ts';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

export interface ForwarderOptions {
  readonly routes: Routes;
  readonly settings: EngineSettings;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly onRequest: (record: RequestRecord) => void;
  /** A request that is sampled for tracing is over; absent: nothing is traced, whatever the settings say. */
  readonly onTraced?: (request: TracedRequest) => void;
}

/** Whoever took the connection of a request. */
export interface Origin {
  /** It is about to stop: clients shall not use their connections again. */
  readonly closing: boolean;
}

/** The answer to a request that goes to no upstream. */
interface TurnedAway {
  readonly end: Pick<RequestRecord, 'service' | 'status' | 'termination' | 'refusal'>;
  readonly details: AnswerDetails;
}

/** What became of a request, for its record. */
type RequestEnd = ExchangeEnd & Pick<RequestRecord, 'service' | 'algorithm'>;

const NOTHING_CAME = { attempts: [], queueMs: 0, receivedBytes: 0 } as const;

/** Checks requests and relays them over the pools, whoever listens: a listener of ours, or a server that embeds us. */
export class Forwarder {
  readonly #routes: Routes;
  readonly #onRequest: (record: RequestRecord) => void;
  readonly #onTraced: ForwarderOptions['onTraced'];
  readonly #now: () => number;
  readonly #library = new ProxyLibrary();
  readonly #budget: RetryBudget;
  readonly #ids = new RequestIds();
  readonly #agents = new Map<string, UpstreamAgent>();
  /** Those that run. */
  readonly #exchanges = new Set<Exchange>();
  #settings: EngineSettings;
  #explainer: Explainer | null;
  #tracer: Tracer | null;
  #proxies: TrustedProxies;

  constructor(options: ForwarderOptions) {
    this.#routes = options.routes;
    this.#onRequest = options.onRequest;
    this.#onTraced = options.onTraced;
    this.#now = options.now;
    this.#budget = new RetryBudget(options.now);
    this.#settings = options.settings;
    this.#proxies = new TrustedProxies(options.settings.trustedProxies);
    this.#explainer = this.#explainerFor(options.settings, null);
    this.#tracer = tracerFor(options.settings.tracing, null, this.#onTraced);
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
    this.#tracer = tracerFor(settings.tracing, this.#tracer, this.#onTraced);
    if (!agentsStay) this.forgetAll();
  }

  explain(id: string): Search {
    return searchOf(new Map([[0, this.#explainer?.find(id) ?? NOTHING_KEPT]]));
  }

  #explainerFor({ explain }: EngineSettings, explainer: Explainer | null): Explainer | null {
    return explainerFor(explain, { explainer, ids: this.#ids, now: this.#now });
  }

  rescue(from: SilentUpstream): void {
    this.#agents.get(from.id)?.closeIdle();
    for (const exchange of this.#exchanges) exchange.rescue(from);
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
      const { status, detail } = checked;
      response.shouldKeepAlive = false;
      this.#refuse(message, checked, startedAt, (id) =>
        sendAnswer(response, id, status, message.headers.accept, { detail }),
      );
      return null;
    }
    const request = new ClientRequest(message, checked, this.#proxies, this.#ids, startedAt, this.#traceOf(message));
    if (checked.target !== '*') return request;
    response.writeHead(204, { Allow: METHODS, 'X-Request-Id': request.id }).end();
    const end = { ...NOTHING_CAME, status: 204, termination: 'answered', service: null, sentBytes: 0 } as const;
    this.#record(request, end, undefined);
    return null;
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
    this.#exchanges.add(exchange);
    try {
      await exchange.run();
    } catch (error) {
      defect = error;
      response.destroy();
    }
    this.#exchanges.delete(exchange);
    const end = exchange.end();
    const hasFailed = defect !== undefined || exchange.hasFailed;
    found.pool.ended({ ...end, hasFailed }, this.#now() - request.startedAt);
    this.#explainer?.over(exchange);
    this.#record(request, { ...namesOf(found.pool), ...end }, defect);
  }

  /** Resolves when the client's connection is closed, or has been refused. Never rejects, as above. */
  async upgrade(message: IncomingMessage, socket: Socket, head: Buffer, from: Origin): Promise<void> {
    const startedAt = this.#now();
    const checked = checkRequest(message, this.#settings.limits);
    if (!checked.ok) {
      const { status } = checked;
      this.#refuse(message, checked, startedAt, (id) => refuseSocket(socket, status, id, message.headers.accept));
      return;
    }
    const request = new ClientRequest(message, checked, this.#proxies, this.#ids, startedAt, this.#traceOf(message));
    const found = this.#admission(request);
    if ('end' in found) {
      this.#turnAway(request, found, socket, (status, accept, details) =>
        refuseSocket(socket, status, request.id, accept, details),
      );
      return;
    }
    const upgrade = new Upgrade(this.#tools(from), found.pool, request, socket);
    let defect: unknown;
    try {
      await upgrade.run(head);
    } catch (error) {
      defect = error;
      socket.destroy();
    }
    const end = upgrade.end();
    const hasFailed = defect !== undefined || isFailureStatus(upgrade.status);
    found.pool.ended({ ...end, hasFailed }, this.#now() - request.startedAt);
    this.#explainer?.over(upgrade);
    this.#record(request, { ...namesOf(found.pool), ...end }, defect);
  }

  /** Where a request goes; what it is answered with when it goes nowhere. */
  #admission(request: ClientRequest): Destination | TurnedAway {
    const found = this.#routes.match(request.host, request.target);
    if (found === undefined) return { end: { status: 404, termination: 'no-route', service: null }, details: {} };
    const { pool, limiter } = found;
    if (limiter === null) return found;
    const verdict = limiter.check(request);
    if (!verdict.granted) {
      const end = { ...RATE_LIMITED, service: pool.name };
      return { end, details: limiter.detailsFor(verdict) };
    }
    request.limitFields = limiter.fieldsFor(verdict);
    return found;
  }

  #turnAway(
    request: ClientRequest,
    { end, details }: TurnedAway,
    connection: { destroy(): unknown },
    answer: (status: number, accept: string | undefined, details: AnswerDetails) => number,
  ): void {
    let defect: unknown;
    let sentBytes = 0;
    try {
      sentBytes = answer(end.status, request.field('accept'), details);
    } catch (error) {
      defect = error;
      connection.destroy();
    }
    const { id, clientAddress: client, method, host, target, trace } = request;
    this.#explainer?.refuse(
      { id, client, method, host, target, service: end.service, trace },
      end.status,
      end.refusal ?? null,
    );
    this.#record(request, { ...NOTHING_CAME, sentBytes, ...end }, defect);
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
      agent = new UpstreamAgent(this.#settings.timeouts, upstream);
      this.#agents.set(upstream.id, agent);
    }
    return agent;
  }

  /** Answers an upgrade that goes to nobody, whatever it asks for. */
  refuse(message: IncomingMessage, socket: Socket, status: number): void {
    refuseSocket(socket, status, requestIdOf(message.rawHeaders, this.#ids), message.headers.accept);
  }

  /**
   * Answers what Node's parser refused.
   * @param isBody - of a request that has a record of its own; otherwise it never became one.
   */
  refuseUnreadable(socket: Duplex, status: number, refusal: string, isBody: boolean): void {
    const id = this.#ids.make();
    const client = socket instanceof Socket ? plainAddress(socket.remoteAddress ?? '') : '';
    const facts = { id, client, method: '', host: '', target: '', service: null, trace: null };
    this.#explainer?.refuse(facts, status, refusal);
    const sentBytes = refuseSocket(socket, status, id);
    if (isBody) return;
    const nothing = { ...NOTHING_CAME, protocol: '', fields: null, totalMs: 0 };
    const how = { status, termination: 'refused', sentBytes, refusal } as const;
    this.#tell({ at: Date.now(), ...facts, ...nothing, ...how, secure: false });
  }

  /** @param answer - is given the id under which the refusal is logged; returns the octets of its body. */
  #refuse(
    message: IncomingMessage,
    { status, detail }: RefusedRequest,
    startedAt: number,
    answer: (id: string) => number,
  ): void {
    const facts = {
      id: requestIdOf(message.rawHeaders, this.#ids),
      client: plainAddress(message.socket.remoteAddress ?? ''),
      method: message.method ?? '',
      host: message.headers.host ?? '',
      target: message.url ?? '',
      service: null,
      trace: this.#traceOf(message),
    };
    this.#explainer?.refuse(facts, status, detail ?? null);
    const sentBytes = answer(facts.id);
    const fields = { field: (name: string) => fieldOf(message.headers, name) };
    const totalMs = this.#now() - startedAt;
    const protocol = `HTTP/${message.httpVersion}`;
    this.#tell({
      at: Date.now() - totalMs,
      ...facts,
      protocol,
      secure: message.socket instanceof TLSSocket,
      fields,
      ...NOTHING_CAME,
      status,
      termination: 'refused',
      sentBytes,
      totalMs,
      refusal: detail,
    });
  }

  #record(request: ClientRequest, end: RequestEnd, defect: unknown): void {
    const { id, clientAddress: client, method, host, target, secure, startedAt, message, trace } = request;
    const totalMs = this.#now() - startedAt;
    const at = Date.now() - totalMs;
    const protocol = `HTTP/${message.httpVersion}`;
    const names = { at, id, client, method, host, target, protocol, secure, fields: request, trace };
    this.#tell({ ...names, ...end, totalMs, ...(defect !== undefined && { termination: 'defect', defect }) });
  }

  #tell(record: RequestRecord): void {
    this.#onRequest(record);
    this.#tracer?.ended(record);
  }

  #traceOf({ rawHeaders }: IncomingMessage): RequestTrace | null {
    if (this.#tracer === null) return null;
    const [traceparent, ...others] = valuesOf(rawHeaders, 'traceparent');
    const state = valuesOf(rawHeaders, 'tracestate').join(',');
    return this.#tracer.begin(others.length === 0 ? traceparent : undefined, state);
  }
}

/** Of the service that a request was relayed to, for its record. */
function namesOf(pool: ServicePool): Pick<RequestRecord, 'service' | 'algorithm'> {
  return { service: pool.name, algorithm: pool.balancer.algorithm };
}
