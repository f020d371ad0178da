import assert from 'node:assert/strict';
import { type RunningBackend, startBackend } from '../../cmd/test-server/app.ts';
import type { Health } from '../../internal/model/health.ts';
import { ServiceSchema } from '../../internal/model/service.ts';
import type { Engine, EngineSettings, Listener, RequestRecord } from '../../internal/proxy/engine.ts';
import { ConcurrencyControl } from '../../internal/proxy/concurrency-control.ts';
import { Ejector } from '../../internal/proxy/ejector.ts';
import { Fleet, type FleetListener } from '../../internal/proxy/fleet.ts';
import type { TracedRequest } from '../../internal/proxy/tracing/traced-request.ts';
import type { Upstream } from '../../internal/proxy/upstream.ts';
import { systemClock } from '../../pkg/clock/clock.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { currentEngine } from './current-engine.ts';
import {
  eventually,
  onHeads,
  parseMessage,
  RawBackend,
  type RawConnection,
  rawClient,
  requestText,
} from './proxy-raw.ts';

export const COOKIE_SECRET = 'a secret of the tests, long enough';

/** Long enough never to matter; a test shortens the one it is about. */
export const SETTINGS: EngineSettings = {
  timeouts: {
    connect: 60_000,
    responseHead: 60_000,
    streamIdle: 60_000,
    requestHead: 60_000,
    bodyIdle: 60_000,
    keepAlive: 60_000,
    upstreamIdle: 60_000,
  },
  limits: { head: 16_384, fields: 100, target: 8_192, body: null },
  retries: { attempts: 2, budget: 0.2 },
  trustedProxies: [],
  acceptProxyProtocol: false,
  explain: { keep: 100, perSecond: 1_000 },
  tracing: null,
  upstreamHeader: null,
};

export interface SiteOptions {
  readonly timeouts?: Partial<EngineSettings['timeouts']>;
  readonly limits?: Partial<EngineSettings['limits']>;
  readonly retries?: Partial<EngineSettings['retries']>;
  readonly trustedProxies?: readonly string[];
  readonly acceptProxyProtocol?: boolean;
  readonly explain?: EngineSettings['explain'];
  readonly tracing?: EngineSettings['tracing'];
  readonly upstreamHeader?: string;
  /** Whether upstreams are judged by their requests. */
  readonly ejects?: boolean;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
  /** Of the one service, on top of its name and its servers. */
  readonly service?: Readonly<Record<string, unknown>>;
}

export function fleetListener(overrides: Partial<FleetListener> = {}): FleetListener {
  return {
    poolChanged() {},
    poolRemoved() {},
    healthChanged() {},
    fellSilent() {},
    ejectionsChanged() {},
    failing() {},
    upstreamRemoved() {},
    drained() {},
    held() {},
    ...overrides,
  };
}

/**
 * An engine on a free port, with one service `web` over the given ports, all of them healthy. At its end it
 * proves that no request holds an upstream any more, and closes everything that was opened through it.
 */
export class ProxySite implements AsyncDisposable {
  readonly engine: Engine;
  readonly fleet: Fleet;
  readonly ejector: Ejector;
  readonly #control: ConcurrencyControl;
  readonly records: RequestRecord[] = [];
  readonly traced: TracedRequest[] = [];
  /** How often it was told that requests are held. */
  heldTold = 0;
  readonly settings: EngineSettings;
  readonly #clients: RawConnection[] = [];
  readonly #owned: { stop(): Promise<void> }[] = [];
  readonly #warnings: Error[] = [];
  readonly #onWarning = (warning: Error) => this.#warnings.push(warning);
  readonly #known = new Set<Upstream>();
  #listener: Listener | null = null;

  private constructor(options: SiteOptions) {
    process.on('warning', this.#onWarning);
    this.settings = {
      timeouts: { ...SETTINGS.timeouts, ...options.timeouts },
      limits: { ...SETTINGS.limits, ...options.limits },
      retries: { ...SETTINGS.retries, ...options.retries },
      trustedProxies: options.trustedProxies ?? [],
      acceptProxyProtocol: options.acceptProxyProtocol ?? false,
      explain: options.explain ?? SETTINGS.explain,
      tracing: options.tracing ?? SETTINGS.tracing,
      upstreamHeader: options.upstreamHeader ?? null,
    };
    this.fleet = new Fleet({
      cookieSecret: COOKIE_SECRET,
      now: () => performance.now(),
      log: createLogger({ name: 'test', level: 'silent' }),
      listener: fleetListener({
        fellSilent: (silent) => this.engine.rescue(silent),
        upstreamRemoved: (id) => this.engine.forget(id),
        failing: () => this.ejector.lookSoon(),
        held: () => {
          this.heldTold += 1;
        },
      }),
    });
    this.ejector = new Ejector({
      fleet: this.fleet,
      clock: systemClock,
      now: () => performance.now(),
      random: () => 0,
      log: createLogger({ name: 'test', level: 'silent' }),
    });
    if (options.ejects === true) this.ejector.start();
    this.#control = new ConcurrencyControl({
      fleet: this.fleet,
      clock: systemClock,
      now: () => performance.now(),
      random: () => 0.5,
    });
    this.#control.start();
    this.engine = currentEngine({
      routes: this.fleet,
      settings: this.settings,
      now: options.now ?? (() => performance.now()),
      onRequest: (record) => this.records.push(record),
      onTraced: (request) => this.traced.push(request),
    });
  }

  static async open(ports: readonly number[], options: SiteOptions = {}): Promise<ProxySite> {
    const site = new ProxySite(options);
    site.use(ports, options.service);
    site.#listener = await site.engine.listen('127.0.0.1', 0);
    return site;
  }

  /** A site in front of `count` sample backends named `one`, `two`, `three`. */
  static async withBackends(count: 1 | 2 | 3, options: SiteOptions = {}): Promise<ProxySite> {
    const names = ['one', 'two', 'three'].slice(0, count);
    const backends = await Promise.all(names.map((name) => sampleBackend(name)));
    const site = await ProxySite.open(
      backends.map(({ url }) => Number(new URL(url).port)),
      options,
    );
    site.#owned.push(...backends);
    return site;
  }

  /** A site in front of backends that each speak as told, one per `serve`. */
  static async withRaw(
    serve: Parameters<typeof RawBackend.start>[0],
    options: SiteOptions = {},
  ): Promise<{ site: ProxySite; backend: RawBackend } & AsyncDisposable> {
    const backend = await RawBackend.start(serve);
    const site = await ProxySite.open([backend.port], options);
    site.own(backend);
    return { site, backend, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
  }

  /** To be stopped with the site. */
  own<T extends { stop(): Promise<void> }>(thing: T): T {
    this.#owned.push(thing);
    return thing;
  }

  /** Replaces the configuration. */
  use(ports: readonly number[], service: Readonly<Record<string, unknown>> = {}): void {
    const servers = ports.map((port) => `127.0.0.1:${port}`);
    this.fleet.configure([ServiceSchema.parse({ name: 'web', servers, ...service })]);
    for (const upstream of this.upstreams()) if (upstream.health === 'unknown') this.setHealth(upstream, 'healthy');
  }

  setHealth(upstream: Upstream, to: Health): void {
    const { id, incarnation, health: from } = upstream;
    this.fleet.healthChanged({ id, incarnation, from, to, cause: 'told by the test', at: 0 });
  }

  upstreams(): Upstream[] {
    const upstreams = [...this.fleet.pools()].flatMap((pool) => [...pool.upstreams()]);
    for (const upstream of upstreams) this.#known.add(upstream);
    return upstreams;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  inFlight(): number {
    this.upstreams();
    return [...this.#known].reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  async client(text = ''): Promise<RawConnection> {
    const client = await rawClient(this.port, text);
    this.#clients.push(client);
    return client;
  }

  /** Sends a request on a connection of its own, and returns all that comes until the proxy closes. */
  async exchange(text: string): Promise<string> {
    const client = await this.client(text);
    const answer = await client.rest();
    client.close();
    return answer;
  }

  /** The log's line of request `index`. */
  async record(index = 0): Promise<RequestRecord> {
    await eventually(`request ${index} is logged`, () => this.records.length > index);
    return this.records[index]!;
  }

  async statusOf(text: string): Promise<number> {
    return parseMessage(await this.exchange(text)).status;
  }

  /** How the attempts of request `index` ended. */
  async outcomes(index = 0): Promise<string[]> {
    return (await this.record(index)).attempts.map(({ outcome }) => outcome.split(':')[0] ?? '');
  }

  async idle(): Promise<void> {
    await eventually(`no request in flight (${this.inFlight()})`, () => this.inFlight() === 0);
  }

  /** As for the sake of a successor. */
  retire(deadlineMs: number): Promise<void> {
    return this.#listener?.retire(deadlineMs) ?? Promise.resolve();
  }

  close(deadlineMs: number): Promise<void> {
    const listener = this.#listener;
    this.#listener = null;
    return listener?.close(deadlineMs) ?? Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    this.ejector.stop();
    this.#control.stop();
    try {
      await this.idle();
    } finally {
      await this.close(0);
      await Promise.all(this.#owned.map((thing) => thing.stop()));
      process.off('warning', this.#onWarning);
    }
    for (const { inFlight } of this.#known) assert.equal(inFlight, 0);
    assert.deepEqual(this.#warnings, []);
  }
}

/** The response as the client gets it, when a backend answers so. */
export async function relayed(answer: string, request = requestText('GET /'), endAfter = false): Promise<string> {
  await using pair = await ProxySite.withRaw((connection) => {
    onHeads(connection, () => {
      connection.write(answer);
      if (endAfter) connection.socket.end();
    });
  });
  return await pair.site.exchange(request);
}

export function sampleBackend(name: string, port = 0): Promise<RunningBackend> {
  return startBackend({
    host: '127.0.0.1',
    port,
    name,
    version: '1',
    startDelay: 0,
    failStart: false,
    crashAfter: null,
  });
}
