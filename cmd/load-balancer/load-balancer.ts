import { isDeepStrictEqual } from 'node:util';
import type { LoadedConfig } from '../../internal/config/load.ts';
import { nodeNameOf } from '../../internal/config/node-name.ts';
import { ConfigError } from '../../internal/config/problem.ts';
import { warningsOf } from '../../internal/config/refused-ports.ts';
import type { Config } from '../../internal/config/schema.ts';
import { authority } from '../../internal/model/address.ts';
import { HeimdallError } from '../../internal/model/errors.ts';
import { listenError } from '../../internal/model/listen-error.ts';
import { startAdmin } from '../../internal/proxy/admin.ts';
import { proxyFamilies } from '../../internal/proxy/metrics/proxy-families.ts';
import { rateLimitsView } from '../../internal/proxy/rate-limit/view.ts';
import { Traces } from '../../internal/proxy/tracing/traces.ts';
import { openProxy } from '../../internal/registry/open.ts';
import type { RegistrySettings } from '../../internal/model/registry-settings.ts';
import type { ProxyRegistry } from '../../internal/registry/registry.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { readLoop } from '../../pkg/metrics/loop-reading.ts';
import { ConfigFollower } from '../runtime/config-follower.ts';
import { type Address, MovableListener } from '../runtime/movable-listener.ts';
import { packageVersion } from '../runtime/package-info.ts';
import type { Inheritance } from '../runtime/inheritance.ts';
import type { LivingProcess } from '../runtime/living-process.ts';
import type { Running } from '../runtime/run-process.ts';
import { Successor } from '../runtime/successor.ts';
import { type CreateEngine, engineFactory } from './engine-factory.ts';
import { DataPlane } from './data-plane.ts';
import { cookieSecret, listeningPlace, newProxyId } from './identity.ts';
import { type RunningEngine, slotsFor } from './running-engine.ts';

/** How long running requests may take when the listener closes or moves. */
const CLOSE_MS = 30_000;
const ADMIN_CLOSE_MS = 1_000;
/** How long admin connections may be idle when a successor has taken over; their clients are answered by it. */
const ADMIN_RETIRE_MS = 15_000;

export interface LoadBalancerOptions {
  /** Reads the configuration again. */
  readonly reload: () => Promise<LoadedConfig>;
  readonly log: Logger;
  /** What a predecessor has left. */
  readonly inheritance: Inheritance;
  /** The `heimdall up` that it belongs to. */
  readonly starter: LivingProcess | null;
}

interface Parts {
  readonly registry: ProxyRegistry;
  /** Of sticky cookies. */
  readonly secret: string;
  readonly createEngine: CreateEngine;
}

/** The load balancer's composition root: wires its parts, and takes them down in the reverse order. */
export class LoadBalancer implements Running {
  readonly log: Logger;
  readonly #startedAt = Date.now();
  readonly #plane: DataPlane;
  readonly #engine: RunningEngine;
  readonly #traces: Traces;
  readonly #follower: ConfigFollower;
  readonly #options: LoadBalancerOptions;
  /** Of the registry that is open, whatever the configuration says by now. */
  readonly #settings: RegistrySettings;
  readonly #succession = Promise.withResolvers<void>();
  readonly #stopping = new AbortController();
  /** Settles when the present reload, or change of the configuration, has come to its end: they move the same sockets. */
  #moving: Promise<unknown> = Promise.resolve();
  #isReloading = false;
  #retired: Promise<unknown> | null = null;
  #ended: Promise<void> | null = null;
  #proxy: MovableListener | null = null;
  #admin: MovableListener | null = null;

  private constructor(loaded: LoadedConfig, options: LoadBalancerOptions, { registry, secret, createEngine }: Parts) {
    const { config } = loaded;
    const { log, reload } = options;
    this.#options = options;
    this.#settings = config.registry;
    this.log = log;
    const slots = slotsFor(config);
    this.#plane = new DataPlane({
      config,
      registry,
      cookieSecret: secret,
      log,
      slots,
      rescue: (from) => this.#engine.rescue(from),
      upstreamRemoved: (id) => this.#engine.forget(id),
      poolsChanged: () => this.#engine.changed(),
    });
    this.#traces = new Traces({
      version: packageVersion,
      log: log.child({ subsystem: 'tracing' }),
      now: () => performance.now(),
    });
    this.#engine = createEngine({ config, log, cookieSecret: secret, slots, plane: this.#plane, traces: this.#traces });
    this.#follower = new ConfigFollower({
      loaded,
      reload,
      alerts: this.#plane.ownAlerts,
      log: log.child({ subsystem: 'config' }),
      apply: (next, before) => this.#oneByOne(() => this.#apply(next, before)),
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
  static async start(loaded: LoadedConfig, options: LoadBalancerOptions): Promise<LoadBalancer> {
    const { config } = loaded;
    const [registry, secret, createEngine] = await Promise.all([
      openProxy(config.registry, {
        proxyId: newProxyId(listeningPlace(config)),
        node: nodeNameOf(config),
        log: options.log.child({ subsystem: 'registry' }),
        creates: !options.inheritance.isSuccessor, // its predecessor had one: it was moved away, and will come back
      }),
      cookieSecret(config, options.log),
      engineFactory(config),
    ]);
    const loadBalancer = new LoadBalancer(loaded, options, { registry, secret, createEngine });
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
    this.#stopping.abort();
    await this.#moving;
    await this.#follower.stop();
    await this.#proxy?.close();
    await this.#end();
  }

  get succeeded(): Promise<void> {
    return this.#succession.promise;
  }

  /**
   * Starts a successor, which listens on the same sockets, and leaves the field to it.
   * @throws {HeimdallError} RELOAD_FAILED, RELOAD_RUNNING; nothing has changed then.
   */
  async reload(): Promise<{ readonly pid: number; readonly successor: number }> {
    if (this.#isReloading) throw new HeimdallError('RELOAD_RUNNING', 'a successor is being started already');
    this.#isReloading = true;
    try {
      const successor = await this.#oneByOne(() => this.#succeed());
      return { pid: process.pid, successor: successor.pid };
    } catch (error) {
      this.#isReloading = false;
      throw error;
    }
  }

  async #succeed(): Promise<Successor> {
    await this.#plane.link.memory.saveLatencies();
    const offers = await Promise.all([this.#proxy?.offer('proxy'), this.#admin?.offer('admin')]);
    const open = offers.filter((offer) => offer !== undefined);
    const { starter, inheritance } = this.#options;
    const { driver, path } = this.#settings;
    const registry = { driver, path, revision: this.#plane.link.appliedRevision ?? 0 };
    const own = { starter, relayKey: inheritance.relayKey, registry };
    const successor = await Successor.start(open, own, 'ready', this.#stopping.signal);
    // In this very tick: what is accepted from here on is the successor's.
    this.#retired = Promise.all([
      this.#admin?.retire(ADMIN_RETIRE_MS),
      this.#proxy?.retire(this.#follower.applied.proxy.timeouts.retire),
    ]);
    successor.letGo();
    this.log.info({ successor: successor.pid }, `process ${successor.pid} has taken over`);
    this.#succession.resolve();
    return successor;
  }

  /** Everything under way ends here as it would have ended; new connections go to the successor. */
  async retire(): Promise<void> {
    await this.#plane.stepBack();
    await this.#follower.stop();
    await this.#retired;
    await this.#end();
  }

  async #oneByOne<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#moving.then(job);
    this.#moving = done.catch(() => undefined); // whoever gave the job is told
    return done;
  }

  #end(): Promise<void> {
    this.#ended ??= this.#endAll();
    return this.#ended;
  }

  async #endAll(): Promise<void> {
    await this.#engine.stop();
    await this.#traces.stop();
    await this.#admin?.close();
    await this.#plane.stop();
  }

  async #open(): Promise<void> {
    const { proxy } = this.#follower.applied;
    const { inheritance } = this.#options;
    await this.#traces.configure(proxy.tracing);
    await this.#plane.start(this.#follower.applied);
    if (inheritance.isSuccessor && this.#plane.link.appliedRevision === null) {
      throw new HeimdallError(
        'REGISTRY_UNAVAILABLE',
        'the registry cannot be read, so that no instance would be known',
      );
    }
    if (this.#isTooEarly()) {
      const message = 'the registry holds nothing yet; a manager that uses it goes first: heimdall reload';
      throw new HeimdallError('REGISTRY_UNAVAILABLE', message);
    }
    this.#proxy = await MovableListener.open(
      (address, sockets) => this.#listen(address, sockets),
      proxy,
      CLOSE_MS,
      this.log,
      inheritance.take('proxy', proxy),
    );
    this.#admin = await MovableListener.open(
      (address, sockets) => this.#listenAdmin(address, sockets),
      proxy.admin,
      ADMIN_CLOSE_MS,
      this.log,
      inheritance.take('admin', proxy.admin),
    );
    inheritance.closeRest();
    this.#follower.start();
    this.log.info(this.addresses, `balancing on ${this.addresses.proxy}`);
    for (const { path, message } of warningsOf(this.#follower.applied)) this.log.warn(`${path}: ${message}`);
  }

  /** The predecessor had another registry, and nobody has written to this one yet: with it, nobody would be served any more. */
  #isTooEarly(): boolean {
    const { registry: before } = this.#options.inheritance;
    return before !== undefined && before.revision > 0 && this.#plane.link.appliedRevision === 0;
  }

  /** Whatever can fail comes first, so that a refused configuration leaves the old one in force. */
  async #apply(next: Config, before: Config): Promise<void> {
    if (this.#retired !== null) return; // it is the successor's by now
    await this.#proxy?.move(next.proxy);
    try {
      await this.#admin?.move(next.proxy.admin);
    } catch (error) {
      await this.#proxy?.move(before.proxy);
      throw error;
    }
    await this.#traces.configure(next.proxy.tracing);
    this.#engine.apply(next);
    this.#plane.configure(next);
    this.log.level = next.log.level;
    if (!isDeepStrictEqual(next.registry, before.registry))
      this.log.warn('registry takes effect after heimdall reload, or a restart');
    const { engine, threads } = before.proxy;
    if (next.proxy.engine !== engine || next.proxy.threads !== threads) {
      this.log.warn('proxy.engine and proxy.threads take effect after a restart');
    }
  }

  async #listen({ host, port }: Address, sockets: readonly number[]) {
    try {
      return await this.#engine.listen(host, port, sockets);
    } catch (error) {
      throw listenError(error, host, port, { key: 'proxy', variable: 'LOAD_BALANCER_PORT' });
    }
  }

  async #listenAdmin({ host, port }: Address, [socket]: readonly number[]) {
    const options = {
      version: packageVersion,
      pools: () => this.#plane.fleet.pools(),
      recent: this.#plane.recent,
      rules: () => this.#plane.rules.views(),
      explain: (id: string) => this.#engine.explain(id),
      status: () => this.#status(),
      rateLimits: () => rateLimitsView(this.#plane.fleet.pools(), this.#plane.fleet.limits),
      metrics: () => this.#metrics(),
      testAlerts: () => this.#plane.alerts.test(),
      reload: () => this.reload(),
      relayKey: this.#options.inheritance.relayKey,
      guard: () => {
        const { manager, proxy } = this.#follower.applied;
        const allowedHosts = [...manager.allowedHosts, proxy.admin.host];
        return { allowedHosts, allowedHostsKey: 'manager.allowedHosts', token: manager.token };
      },
      log: this.log.child({ subsystem: 'admin' }),
    };
    try {
      return await startAdmin(options, host, port, socket);
    } catch (error) {
      throw listenError(error, host, port, { key: 'proxy.admin' });
    }
  }

  async #metrics() {
    const { link, fleet } = this.#plane;
    const loop = await readLoop(); // before the threads are waited for
    return proxyFamilies({
      loop,
      version: packageVersion,
      engine: this.#engine.name,
      threads: await this.#engine.readings(),
      registry: link,
      pools: fleet.pools(),
      limits: fleet.limits,
      spans: this.#traces.counts,
      accessLog: this.#engine.accessLog,
    });
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
