import { isDeepStrictEqual } from 'node:util';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { LoadedConfig } from '../../internal/config/load.ts';
import { ConfigError } from '../../internal/config/problem.ts';
import type { Config } from '../../internal/config/schema.ts';
import type { EngineSettings, RequestRecord } from '../../internal/proxy/engine.ts';
import { Forwarder, type Origin } from '../../internal/proxy/middleware/forwarder.ts';
import { isWebSocket } from '../../internal/proxy/middleware/listener.ts';
import { Traces } from '../../internal/proxy/tracing/traces.ts';
import { NoRegistry } from '../../internal/registry/no-registry.ts';
import type { ProxyRegistry } from '../../internal/registry/registry.ts';
import { openProxy } from '../../internal/registry/open.ts';
import { createLogger, type Logger } from '../../pkg/logger/logger.ts';
import { accessLogOf } from '../load-balancer/access-log.ts';
import { DataPlane } from '../load-balancer/data-plane.ts';
import { cookieSecret, newProxyId, passingSecret } from '../load-balancer/identity.ts';
import { packageVersion } from '../runtime/package-info.ts';
import { MainThreadLog } from '../load-balancer/main-thread-log.ts';
import { ConfigFollower } from '../runtime/config-follower.ts';
import { BalancerClosedError, BodyAlreadyReadError } from './errors.ts';

export interface BalancerOptions {
  readonly service: string;
  readonly loaded: LoadedConfig;
  readonly reload: () => Promise<LoadedConfig>;
  /** Whether a registry tells of instances, too; without one nothing is written to disk. */
  readonly usesRegistry: boolean;
  readonly log: Logger | undefined;
  readonly onRequest: ((record: RequestRecord) => void) | undefined;
}

interface Destroyable {
  destroy(): void;
}

/** A load balancer without a listener, for one service: the composition root for embedding in somebody else's server. */
export class Balancer implements Origin {
  readonly #options: BalancerOptions;
  readonly #log: Logger;
  readonly #plane: DataPlane;
  readonly #traces: Traces;
  readonly #lines: MainThreadLog;
  readonly #forwarder: Forwarder;
  readonly #follower: ConfigFollower;
  readonly #running = new Map<Promise<void>, Destroyable>();
  #closing = false;
  #closed = false;

  private constructor(options: BalancerOptions, log: Logger, secret: string, registry: ProxyRegistry) {
    const { service, loaded, reload } = options;
    const { config } = loaded;
    this.#options = options;
    this.#log = log;
    this.#plane = new DataPlane({
      config,
      registry,
      cookieSecret: secret,
      log,
      rescue: (from) => this.#forwarder.rescue(from),
      upstreamRemoved: (id) => this.#forwarder.forget(id),
    });
    this.#traces = new Traces({ version: packageVersion, log, now: () => performance.now() });
    this.#lines = new MainThreadLog(this.#plane.ownAlerts, log);
    this.#lines.configure(accessLogOf(config));
    this.#forwarder = new Forwarder({
      routes: { match: (host, target) => this.#plane.fleet.matchWithin(service, host, target) },
      settings: settingsOf(config),
      now: () => performance.now(),
      onRequest: (record) => this.#recordRequest(record),
      onTraced: (request) => this.#traces.take([request]),
    });
    this.#follower = new ConfigFollower({
      loaded,
      reload,
      alerts: this.#plane.ownAlerts,
      log: log.child({ subsystem: 'config' }),
      apply: (next, before) => this.#apply(next, before),
      // What is wrong with the file, a running manager tells, which reads it too.
      speaks: async (refusal) =>
        !(refusal instanceof ConfigError) || (await registry.manager().catch(() => null)) === null,
    });
  }

  /** Resolves with the registry's picture in force and the first round of probes behind it. */
  static async start(options: BalancerOptions): Promise<Balancer> {
    const { config } = options.loaded;
    const log = options.log ?? createLogger({ name: 'balance', level: config.log.level });
    const secret = options.usesRegistry ? await cookieSecret(config, log) : passingSecret();
    const balancer = new Balancer(options, log, secret, await registryOf(options, log));
    // All services, though we serve one: the eldest of several load balancers tells people about all that are down.
    await balancer.#traces.configure(config.proxy.tracing);
    await balancer.#plane.start(config);
    balancer.#follower.start();
    log.info({ service: options.service }, `balancing ${options.service} in this app`);
    return balancer;
  }

  get closing(): boolean {
    return this.#closing;
  }

  /** @throws {BodyAlreadyReadError | BalancerClosedError} nothing was answered then. */
  request(message: IncomingMessage, response: ServerResponse): void {
    if (this.#closed) throw new BalancerClosedError();
    if (response.headersSent || response.destroyed) return; // answered by somebody else, or given up, while we started
    const request = this.#forwarder.admit(message, response);
    if (request === null) return;
    if (request.hasBody && (message.readableDidRead || message.readableEnded)) throw new BodyAlreadyReadError();
    this.#run(this.#forwarder.serve(request, response, this, false), response);
  }

  upgrade(message: IncomingMessage, socket: Socket, head: Buffer): void {
    const status = this.#closed ? 503 : 501;
    if (this.#closed || !isWebSocket(message)) this.#forwarder.refuse(message, socket, status);
    else this.#run(this.#forwarder.upgrade(message, socket, head, this), socket);
  }

  /** Lets what runs finish, breaks it off at the deadline, then leaves the registry. To be called once. */
  async close(deadlineMs: number): Promise<void> {
    this.#closing = true;
    await this.#follower.stop();
    const deadline = setTimeout(() => {
      this.#closed = true; // what comes now would be waited for, too
      for (const connection of this.#running.values()) connection.destroy();
    }, deadlineMs);
    while (this.#running.size > 0) await Promise.all(this.#running.keys());
    clearTimeout(deadline);
    this.#closed = true;
    this.#forwarder.forgetAll();
    await this.#traces.stop();
    await this.#lines.close();
    await this.#plane.stop();
  }

  #run(exchange: Promise<void>, connection: Destroyable): void {
    this.#running.set(exchange, connection);
    void exchange.then(() => this.#running.delete(exchange));
  }

  async #apply(next: Config, before: Config): Promise<void> {
    const { service, log } = this.#options;
    if (!next.services.some(({ name }) => name === service)) throw new Error(`the service "${service}" is missing`);
    await this.#traces.configure(next.proxy.tracing);
    this.#forwarder.configure(settingsOf(next));
    this.#lines.configure(accessLogOf(next));
    this.#plane.configure(next);
    if (log === undefined) this.#log.level = next.log.level;
    if (!isDeepStrictEqual(next.registry, before.registry)) this.#log.warn('registry takes effect after a restart');
  }

  #recordRequest(record: RequestRecord): void {
    const { onRequest } = this.#options;
    try {
      if (onRequest !== undefined) onRequest(record);
      else this.#lines.record(record);
    } catch (error) {
      this.#log.error({ err: error }, 'onRequest of balance() failed');
    }
  }
}

/** Nothing is kept of requests: there is no admin interface that could be asked. */
function settingsOf({ proxy }: Config): EngineSettings {
  return { ...proxy, explain: { ...proxy.explain, keep: 0 } };
}

async function registryOf({ loaded, usesRegistry }: BalancerOptions, log: Logger): Promise<ProxyRegistry> {
  const proxyId = newProxyId();
  if (!usesRegistry) return new NoRegistry(proxyId);
  return openProxy(loaded.config.registry, { proxyId, log: log.child({ subsystem: 'registry' }) });
}
