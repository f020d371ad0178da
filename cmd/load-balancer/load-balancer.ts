import type { LoadedConfig } from '../../internal/config/load.ts';
import { ConfigError } from '../../internal/config/problem.ts';
import type { Config } from '../../internal/config/schema.ts';
import { authority } from '../../internal/model/address.ts';
import { listenError } from '../../internal/model/listen-error.ts';
import { startAdmin } from '../../internal/proxy/admin.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { ConfigFollower } from '../runtime/config-follower.ts';
import { type Address, MovableListener } from '../runtime/movable-listener.ts';
import { packageVersion } from '../runtime/package-info.ts';
import type { Running } from '../runtime/run-process.ts';
import { createEngine, type RunningEngine, slotsFor } from './create-engine.ts';
import { DataPlane } from './data-plane.ts';
import { cookieSecret, newProxyId } from './identity.ts';

/** How long running requests may take when the listener closes or moves. */
const CLOSE_MS = 30_000;
const ADMIN_CLOSE_MS = 1_000;

/** The load balancer's composition root: wires its parts, and takes them down in the reverse order. */
export class LoadBalancer implements Running {
  readonly log: Logger;
  readonly #startedAt = Date.now();
  readonly #plane: DataPlane;
  readonly #engine: RunningEngine;
  readonly #follower: ConfigFollower;
  #proxy: MovableListener | null = null;
  #admin: MovableListener | null = null;

  private constructor(loaded: LoadedConfig, reload: () => Promise<LoadedConfig>, log: Logger, secret: string) {
    const { config } = loaded;
    this.log = log;
    const registry = openProxyRegistry({
      path: config.registry.path,
      proxyId: newProxyId(),
      pid: process.pid,
      log: log.child({ subsystem: 'registry' }),
    });
    const slots = slotsFor(config);
    this.#plane = new DataPlane({
      config,
      registry,
      cookieSecret: secret,
      log,
      slots,
      upstreamRemoved: (id) => this.#engine.forget(id),
      poolsChanged: () => this.#engine.changed(),
    });
    this.#engine = createEngine({ config, log, cookieSecret: secret, slots, plane: this.#plane });
    this.#follower = new ConfigFollower({
      loaded,
      reload,
      alerts: this.#plane.alerts,
      log: log.child({ subsystem: 'config' }),
      apply: (next, before) => this.#apply(next, before),
      // What is wrong with the file, a running manager tells, which reads it too. What this process alone can see, such
      // as a port of its own that is in use, it tells itself.
      speaks: async (refusal) =>
        !(refusal instanceof ConfigError) || (await registry.manager().catch(() => null)) === null,
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
    await this.#engine.stop();
    await this.#admin?.close();
    await this.#plane.stop();
  }

  async #open(): Promise<void> {
    const { proxy, services } = this.#follower.applied;
    await this.#plane.start(services);
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

  /** Whatever can fail comes first, so that a refused configuration leaves the old one in force. */
  async #apply(next: Config, before: Config): Promise<void> {
    await this.#proxy?.move(next.proxy);
    try {
      await this.#admin?.move(next.proxy.admin);
    } catch (error) {
      await this.#proxy?.move(before.proxy);
      throw error;
    }
    this.#engine.apply(next);
    this.#plane.configure(next);
    this.log.level = next.log.level;
    if (next.registry.path !== before.registry.path) this.log.warn('registry.path takes effect after a restart');
    const { engine, threads } = before.proxy;
    if (next.proxy.engine !== engine || next.proxy.threads !== threads) {
      this.log.warn('proxy.engine and proxy.threads take effect after a restart');
    }
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
      pools: () => this.#plane.fleet.pools(),
      status: () => this.#status(),
      testAlerts: () => this.#plane.alerts.test(),
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
    const { available, appliedRevision } = this.#plane.link;
    const { name: engine, threads } = this.#engine;
    return {
      status: 'ok',
      version: packageVersion,
      pid: process.pid,
      startedAt: new Date(this.#startedAt).toISOString(),
      uptimeMs: Date.now() - this.#startedAt,
      engine,
      threads,
      registry: { available, appliedRevision },
    };
  }
}
