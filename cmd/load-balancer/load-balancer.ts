import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadedConfig } from '../../internal/config/load.ts';
import { ConfigError } from '../../internal/config/problem.ts';
import type { Config } from '../../internal/config/schema.ts';
import { HealthMonitor } from '../../internal/health/monitor.ts';
import { probe } from '../../internal/health/probe.ts';
import { authority } from '../../internal/model/address.ts';
import { listenError } from '../../internal/model/listen-error.ts';
import { startAdmin } from '../../internal/proxy/admin.ts';
import type { RequestRecord } from '../../internal/proxy/engine.ts';
import { Fleet, type FleetListener } from '../../internal/proxy/fleet.ts';
import { HealthAlerts } from '../../internal/proxy/health-alerts.ts';
import { MiddlewareEngine } from '../../internal/proxy/middleware/engine.ts';
import { RegistryLink } from '../../internal/proxy/registry-link.ts';
import { logRequest } from '../../internal/proxy/request-log.ts';
import { loadCookieSecret } from '../../internal/proxy/sticky-secret.ts';
import type { ProxyRegistry } from '../../internal/registry/registry.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import { createNotifiers } from '../../pkg/alerts/create-notifiers.ts';
import { AlertDispatcher } from '../../pkg/alerts/dispatcher.ts';
import { systemClock } from '../../pkg/clock/clock.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { ConfigFollower } from '../runtime/config-follower.ts';
import { type Address, MovableListener } from '../runtime/movable-listener.ts';
import { packageVersion } from '../runtime/package-info.ts';
import type { Running } from '../runtime/run-process.ts';

/** How long the start waits for the first round of probes, in milliseconds: an instance that hangs must not hold it up. */
const FIRST_ROUND_MS = 1_000;
/** How long running requests may take when the listener closes or moves. */
const CLOSE_MS = 30_000;
const ADMIN_CLOSE_MS = 1_000;

/** The data plane's composition root: wires its parts, and takes them down in the reverse order. */
export class LoadBalancer implements Running {
  readonly log: Logger;
  readonly #startedAt = Date.now();
  readonly #registry: ProxyRegistry;
  readonly #alerts: AlertDispatcher;
  readonly #healthAlerts: HealthAlerts;
  readonly #fleet: Fleet;
  readonly #monitor: HealthMonitor;
  readonly #engine: MiddlewareEngine;
  readonly #link: RegistryLink;
  readonly #follower: ConfigFollower;
  readonly #requestLog: Logger;
  #proxy: MovableListener | null = null;
  #admin: MovableListener | null = null;

  private constructor(loaded: LoadedConfig, reload: () => Promise<LoadedConfig>, log: Logger, cookieSecret: string) {
    const { config } = loaded;
    const now = () => performance.now();
    this.log = log;
    this.#requestLog = log.child({ subsystem: 'request' });
    this.#registry = openProxyRegistry({
      path: config.registry.path,
      proxyId: `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`,
      pid: process.pid,
      log: log.child({ subsystem: 'registry' }),
    });
    this.#alerts = new AlertDispatcher({
      notifiers: createNotifiers(config.alerts),
      groupWindowMs: config.alerts.groupWindow,
      repeatAfterMs: config.alerts.repeatAfter,
      log: log.child({ subsystem: 'alerts' }),
    });
    this.#healthAlerts = new HealthAlerts(this.#alerts, Date.now);
    this.#fleet = new Fleet({
      cookieSecret,
      now,
      log: log.child({ subsystem: 'fleet' }),
      listener: this.#fleetListener(),
    });
    this.#monitor = new HealthMonitor({
      probe,
      clock: systemClock,
      random: Math.random,
      onTransition: (change) => this.#fleet.healthChanged(change),
      log: log.child({ subsystem: 'health' }),
    });
    this.#engine = new MiddlewareEngine({
      routes: this.#fleet,
      settings: config.proxy,
      now,
      onRequest: (record) => this.#recordRequest(record),
    });
    this.#link = new RegistryLink({
      registry: this.#registry,
      fleet: this.#fleet,
      alerts: this.#alerts,
      log: log.child({ subsystem: 'registry' }),
      now: Date.now,
      onLeading: (leading) => this.#healthAlerts.lead(leading),
    });
    this.#follower = new ConfigFollower({
      loaded,
      reload,
      alerts: this.#alerts,
      log: log.child({ subsystem: 'config' }),
      apply: (next, before) => this.#apply(next, before),
      // What is wrong with the file, a running manager tells, which reads it too. What this process alone can see, such
      // as a port of its own that is in use, it tells itself.
      speaks: async (refusal) =>
        !(refusal instanceof ConfigError) || (await this.#registry.manager().catch(() => null)) === null,
    });
  }

  /**
   * Resolves once it listens, with the registry's picture in force and the first round of probes behind it.
   * @throws {HeimdallError} PORT_TAKEN when an address is in use; nothing stays behind then.
   */
  static async start(loaded: LoadedConfig, reload: () => Promise<LoadedConfig>, log: Logger): Promise<LoadBalancer> {
    const loadBalancer = new LoadBalancer(loaded, reload, log, await cookieSecret(loaded.config, log));
    try {
      await loadBalancer.#open();
    } catch (error) {
      await loadBalancer.stop();
      throw error;
    }
    return loadBalancer;
  }

  get addresses(): Running['addresses'] {
    const { proxy } = this.#follower.applied;
    return {
      proxy: `http://${authority(proxy.host, this.#proxy?.port ?? proxy.port)}`,
      admin: `http://${authority(proxy.admin.host, this.#admin?.port ?? proxy.admin.port)}`,
    };
  }

  /** Stops accepting, lets running requests finish, then leaves the registry: a drain waits for us until the end. */
  async stop(): Promise<void> {
    await this.#follower.stop();
    await this.#proxy?.close();
    this.#monitor.stop();
    await this.#link.stop();
    await this.#admin?.close();
    await this.#alerts.flush();
    this.#alerts.close();
  }

  async #open(): Promise<void> {
    const { proxy, services } = this.#follower.applied;
    this.#fleet.checkWith(this.#monitor);
    this.#fleet.configure(services);
    await this.#link.start();
    await Promise.race([this.#monitor.firstRound(), delay(FIRST_ROUND_MS)]);
    this.#proxy = await MovableListener.open((address) => this.#listen(address), proxy, CLOSE_MS, this.log);
    this.#admin = await MovableListener.open(
      (address) => this.#listenAdmin(address),
      proxy.admin,
      ADMIN_CLOSE_MS,
      this.log,
    );
    this.#follower.start();
    this.log.info(this.addresses, `balancing on ${this.addresses.proxy}`);
  }

  #fleetListener(): FleetListener {
    return {
      poolChanged: (pool) => this.#healthAlerts.update(pool),
      poolRemoved: (name) => this.#healthAlerts.removed(name),
      healthChanged: ({ id, incarnation }, { to, cause, at }) => {
        const { proxyId } = this.#registry;
        this.#link.saveHealth({ instanceId: id, incarnation, health: to, cause, since: at, proxyId });
      },
      upstreamRemoved: (id) => this.#engine.forget(id),
      drained: () => this.#link.reportSoon(),
    };
  }

  #recordRequest(record: RequestRecord): void {
    if (this.#follower.applied.proxy.requestLog) logRequest(this.#requestLog, record);
  }

  /** Whatever can fail comes first, so that a refused configuration leaves the old one in force. */
  async #apply(next: Config, before: Config): Promise<void> {
    await this.#proxy?.move(next.proxy);
    try {
      await this.#admin?.move(next.proxy.admin);
    } catch (error) {
      await this.#proxy?.move(before.proxy);
      throw error;
    }
    this.#engine.configure(next.proxy);
    this.#fleet.configure(next.services);
    this.#alerts.reconfigure(createNotifiers(next.alerts), {
      groupWindowMs: next.alerts.groupWindow,
      repeatAfterMs: next.alerts.repeatAfter,
    });
    this.log.level = next.log.level;
    if (next.registry.path !== before.registry.path) this.log.warn('registry.path takes effect after a restart');
  }

  async #listen({ host, port }: Address) {
    try {
      return await this.#engine.listen(host, port);
    } catch (error) {
      throw listenError(error, host, port, { key: 'proxy', variable: 'LOAD_BALANCER_PORT' });
    }
  }

  async #listenAdmin({ host, port }: Address) {
    const options = {
      version: packageVersion,
      pools: () => this.#fleet.pools(),
      status: () => this.#status(),
      testAlerts: () => this.#alerts.test(),
      guard: () => {
        const { manager, proxy } = this.#follower.applied;
        const allowedHosts = [...manager.allowedHosts, proxy.admin.host];
        return { allowedHosts, allowedHostsKey: 'manager.allowedHosts', token: manager.token };
      },
      log: this.log.child({ subsystem: 'admin' }),
    };
    try {
      return await startAdmin(options, host, port);
    } catch (error) {
      throw listenError(error, host, port, { key: 'proxy.admin' });
    }
  }

  #status() {
    return {
      status: 'ok',
      version: packageVersion,
      pid: process.pid,
      startedAt: new Date(this.#startedAt).toISOString(),
      uptimeMs: Date.now() - this.#startedAt,
      engine: this.#follower.applied.proxy.engine,
      registry: { available: this.#link.available, appliedRevision: this.#link.appliedRevision },
    };
  }
}

/** Without a writable data folder the load balancer still serves; sticky clients then lose their instance at a restart. */
async function cookieSecret(config: Config, log: Logger): Promise<string> {
  try {
    return await loadCookieSecret(dirname(config.registry.path));
  } catch (error) {
    log.warn(
      { err: error },
      'the secret of sticky cookies cannot be kept in the data folder; it lasts for this run only',
    );
    return randomBytes(32).toString('base64url');
  }
}
