import { ownReading, type ThreadReading } from '../thread-reading.ts';
import { ClientSockets, type ClientTraffic } from '../client-sockets.ts';
import { TrustedProxies } from '../client-address.ts';
import type { Engine, EngineSettings, Listener, RequestRecord, Routes } from '../engine.ts';
import { jointListener } from '../joint-listener.ts';
import { explainerFor, type Finding, NOTHING_KEPT } from '../explain/explainer.ts';
import { type Search, searchOf } from '../explain/search.ts';
import { RequestIds } from '../request-ids.ts';
import { RetryBudget } from '../retry.ts';
import type { SilentUpstream } from '../silent-upstream.ts';
import type { TracedRequest } from '../tracing/traced-request.ts';
import { tracerFor } from '../tracing/tracer.ts';
import { WallTime } from '../wall-time.ts';
import type { ClientTools } from './client-connection.ts';
import { HeadParser } from './head-parser.ts';
import { WireListener } from './listener.ts';
import { Sweep } from './sweep.ts';
import { UpstreamConnections } from './upstream-connections.ts';

export interface WireEngineOptions {
  readonly routes: Routes;
  readonly settings: EngineSettings;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Null: nobody wants to know, and nothing is made for it. */
  readonly onRequest: ((record: RequestRecord) => void) | null;
  /** A request that is sampled for tracing is over; absent: nothing is traced, whatever the settings say. */
  readonly onTraced?: (request: TracedRequest) => void;
  /** How many engines of this process share the load; 1 by default. */
  readonly threads?: number;
  /** Whether others of them listen on the same address. */
  readonly reusePort?: boolean;
}

/** The engine on bare sockets: HTTP/1.1, read strictly and passed on as bytes. Everything of one thread. */
export class WireEngine implements Engine {
  readonly #sweep: Sweep;
  readonly #tools: ClientTools;
  readonly #onTraced: WireEngineOptions['onTraced'];
  readonly #reusePort: boolean;
  readonly #listeners = new Set<WireListener>();

  constructor({ routes, settings, now, onRequest, onTraced, threads = 1, reusePort = false }: WireEngineOptions) {
    const sweep = new Sweep(now);
    const ids = new RequestIds();
    this.#sweep = sweep;
    this.#onTraced = onTraced;
    this.#reusePort = reusePort;
    this.#tools = {
      host: sweep,
      connections: new UpstreamConnections(sweep),
      routes,
      settings,
      proxies: new TrustedProxies(settings.trustedProxies),
      budget: new RetryBudget(now, threads),
      now,
      wallTime: new WallTime(now),
      record: onRequest,
      ids,
      clients: new ClientSockets(),
      explainer: null,
      tracer: null,
      requestParser: new HeadParser('request', settings.limits),
      responseParser: new HeadParser('response', settings.limits),
    };
    this.configure(settings);
  }

  /** Null: nobody wants to know of requests any more. */
  set onRequest(record: ((record: RequestRecord) => void) | null) {
    this.#tools.record = record;
  }

  configure(settings: EngineSettings): void {
    this.#tools.settings = settings;
    this.#tools.proxies = new TrustedProxies(settings.trustedProxies);
    this.#tools.explainer = explainerFor(settings.explain, this.#tools);
    this.#tools.tracer = tracerFor(settings.tracing, this.#tools.tracer, this.#onTraced);
    this.#sweep.setPrecision(Math.min(...Object.values(settings.timeouts)));
  }

  async explain(id: string): Promise<Search> {
    return searchOf(new Map([[0, this.find(id)]]));
  }

  /** What this one engine of several knows of a request. */
  find(id: string): Finding {
    return this.#tools.explainer?.find(id) ?? NOTHING_KEPT;
  }

  /** What the connections of clients have carried. */
  get clients(): ClientTraffic {
    return this.#tools.clients.read();
  }

  async readings(): Promise<readonly ThreadReading[]> {
    return [await ownReading(this.clients)];
  }

  rescue(from: SilentUpstream): void {
    for (const { owner } of [...this.#sweep.transports]) owner.rescue?.(from);
  }

  forget(upstreamId: string): void {
    this.#tools.connections.forget(upstreamId);
  }

  listen(host: string, port: number, sockets: readonly number[] = []): Promise<Listener> {
    return jointListener(sockets, (socket) => this.#listen(host, port, socket));
  }

  async #listen(host: string, port: number, socket: number | undefined): Promise<Listener> {
    const listener = await (socket === undefined
      ? WireListener.open(host, port, this.#reusePort, this.#tools)
      : WireListener.adopt(host, port, socket, this.#tools));
    if (this.#listeners.size === 0) this.#sweep.start();
    this.#listeners.add(listener);
    return {
      host,
      port: listener.port,
      sockets: () => listener.sockets(),
      close: (deadlineMs) => this.#ended(listener, listener.close(deadlineMs)),
      retire: (deadlineMs) => this.#ended(listener, listener.retire(deadlineMs)),
    };
  }

  async #ended(listener: WireListener, ended: Promise<void>): Promise<void> {
    await ended;
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
    this.#tools.connections.forgetAll();
    this.#sweep.stop();
  }
}
