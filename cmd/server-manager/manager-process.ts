import { dirname } from 'node:path';
import { createApi } from '../../internal/api/app.ts';
import { startApiServer } from '../../internal/api/http-server.ts';
import type { LoadedConfig } from '../../internal/config/load.ts';
import type { Config } from '../../internal/config/schema.ts';
import { authority } from '../../internal/model/address.ts';
import type { RegistryWriter } from '../../internal/registry/registry.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { ServerManager } from '../../internal/server/server-manager.ts';
import { createNotifiers } from '../../pkg/alerts/create-notifiers.ts';
import { AlertDispatcher } from '../../pkg/alerts/dispatcher.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { HeimdallError } from '../../internal/model/errors.ts';
import { ConfigFollower } from '../runtime/config-follower.ts';
import type { Inheritance } from '../runtime/inheritance.ts';
import type { LivingProcess } from '../runtime/living-process.ts';
import { type Address, MovableListener } from '../runtime/movable-listener.ts';
import { packageVersion } from '../runtime/package-info.ts';
import type { Running } from '../runtime/run-process.ts';
import { Successor } from '../runtime/successor.ts';
import { CalendarJobs } from './calendar-jobs.ts';

const API_CLOSE_MS = 5_000;

export interface ManagerProcessOptions {
  /** Reads the configuration again. */
  readonly reload: () => Promise<LoadedConfig>;
  /** Where the instances' PATH, HOME and LANG come from. */
  readonly baseEnv: NodeJS.ProcessEnv;
  /** Leave the instances running at the end. */
  readonly keep: boolean;
  readonly log: Logger;
  /** What a predecessor has left. */
  readonly inheritance: Inheritance;
  /** The `heimdall up` that it belongs to. */
  readonly starter: LivingProcess | null;
}

/** The control plane's composition root: wires its parts, and takes them down in the reverse order. */
export class ManagerProcess implements Running {
  readonly log: Logger;
  readonly #registry: RegistryWriter;
  readonly #alerts: AlertDispatcher;
  readonly #manager: ServerManager;
  readonly #follower: ConfigFollower;
  readonly #jobs: CalendarJobs;
  readonly #options: ManagerProcessOptions;
  readonly #taken = Promise.withResolvers<void>();
  #successor: Successor | null = null;
  #isReloading = false;
  #api: MovableListener | null = null;
  /** Who may call the API. */
  #access: Pick<Config['manager'], 'token' | 'allowedHosts'>;

  private constructor(loaded: LoadedConfig, options: ManagerProcessOptions, registry: RegistryWriter) {
    const { config } = loaded;
    const { log } = options;
    this.log = log;
    this.#options = options;
    this.#access = config.manager;
    this.#registry = registry;
    this.#alerts = new AlertDispatcher({
      notifiers: createNotifiers(config.alerts),
      groupWindowMs: config.alerts.groupWindow,
      repeatAfterMs: config.alerts.repeatAfter,
      log: log.child({ subsystem: 'alerts' }),
    });
    this.#manager = new ServerManager({
      registry,
      services: config.services,
      ports: config.ports,
      logLimits: config.instanceLogs,
      dataDir: dirname(config.registry.path),
      baseEnv: options.baseEnv,
      version: packageVersion,
      alerts: this.#alerts,
      log: log.child({ subsystem: 'server' }),
    });
    this.#jobs = new CalendarJobs({ registry, manager: this.#manager, log: log.child({ subsystem: 'jobs' }) });
    this.#follower = new ConfigFollower({
      loaded,
      reload: options.reload,
      alerts: this.#alerts,
      log: log.child({ subsystem: 'config' }),
      apply: (next, before) => this.#apply(next, before),
      speaks: async () => true,
      onRefused: (path, reason) => this.#recordRefusal(path, reason),
    });
  }

  /**
   * Resolves once the API answers; instances come up after that.
   * @throws {HeimdallError} MANAGER_RUNNING, REGISTRY_BROKEN, PORT_TAKEN; nothing stays behind then.
   */
  static async start(loaded: LoadedConfig, options: ManagerProcessOptions): Promise<ManagerProcess> {
    const { path } = loaded.config.registry;
    const registry = await openManagerRegistry({ path, log: options.log.child({ subsystem: 'registry' }) });
    const manager = new ManagerProcess(loaded, options, registry);
    try {
      await manager.#open();
    } catch (error) {
      await registry.close();
      throw error;
    }
    return manager;
  }

  get addresses(): Running['addresses'] {
    const { host, port } = this.#follower.applied.manager;
    return { api: `http://${authority(host, this.#api?.port ?? port)}` };
  }

  get dataDir(): string {
    return dirname(this.#follower.applied.registry.path);
  }

  get succeeded(): Promise<void> {
    return this.#taken.promise;
  }

  async stop(): Promise<void> {
    await this.#follower.stop(); // a change under way still schedules jobs
    this.#jobs.stop();
    await this.#manager.stop({ keep: this.#options.keep });
    await this.#api?.close();
    await this.#leave();
  }

  /**
   * Starts a successor, which waits until this process has given up the registry; whoever calls the API meanwhile waits in
   * the queue of the socket that both have.
   * @throws {HeimdallError} RELOAD_FAILED, RELOAD_RUNNING; nothing has changed then.
   */
  async reload(): Promise<{ readonly pid: number; readonly successor: number }> {
    if (this.#isReloading) throw new HeimdallError('RELOAD_RUNNING', 'a successor is being started already');
    this.#isReloading = true;
    try {
      const api = await this.#api?.offer();
      const offers = api ? [{ purpose: 'api', ...api, sockets: [...api.sockets] }] : [];
      this.#successor = await Successor.start(offers, this.#options.starter, 'prepared');
      this.#taken.resolve();
      return { pid: process.pid, successor: this.#successor.pid };
    } catch (error) {
      this.#isReloading = false;
      throw error;
    }
  }

  /** Finishes what the API was asked for, and leaves the instances to the successor. */
  async retire(): Promise<void> {
    await this.#follower.stop();
    this.#jobs.stop();
    await this.#api?.retire(API_CLOSE_MS);
    await this.#manager.stop({ keep: true });
    await this.#leave();
    this.#successor?.go();
    await this.#successor?.until('ready');
    this.#successor?.letGo();
  }

  async #leave(): Promise<void> {
    await this.#alerts.flush();
    this.#alerts.close();
    await this.#registry.close();
  }

  /** The port comes first: when it is taken, nothing was spawned yet. */
  async #open(): Promise<void> {
    const config = this.#follower.applied;
    const { inheritance } = this.#options;
    this.#api = await MovableListener.open(
      (address, sockets) => this.#listen(address, sockets),
      config.manager,
      API_CLOSE_MS,
      this.log,
      inheritance.take('api', config.manager),
    );
    inheritance.closeRest();
    try {
      await this.#manager.start();
      this.#jobs.schedule(config);
      this.#follower.start();
    } catch (error) {
      await this.#manager.stop({ keep: true });
      await this.#api.close();
      throw error;
    }
  }

  #listen({ host, port }: Address, [socket]: readonly number[]) {
    const app = createApi({
      manager: this.#manager,
      alerts: this.#alerts,
      reload: () => this.reload(),
      token: () => this.#access.token,
      allowedHosts: () => [...this.#access.allowedHosts, host],
      log: this.log.child({ subsystem: 'api' }),
      version: packageVersion,
    });
    return startApiServer({ app, host, port, socket, log: this.log });
  }

  /** Whatever can fail comes first, so that a refused configuration leaves the old one in force. */
  async #apply(next: Config, before: Config): Promise<void> {
    await this.#api?.move(next.manager);
    this.#access = next.manager; // before anything else is awaited: an address that others reach is never without its token
    await this.#manager.apply({ services: next.services, ports: next.ports, logLimits: next.instanceLogs });
    this.#alerts.reconfigure(createNotifiers(next.alerts), {
      groupWindowMs: next.alerts.groupWindow,
      repeatAfterMs: next.alerts.repeatAfter,
    });
    this.#jobs.schedule(next);
    this.log.level = next.log.level;
    if (next.registry.path !== before.registry.path) this.log.warn('registry.path takes effect after a restart');
  }

  #recordRefusal(path: string, reason: string): void {
    const message = `${path} was refused: ${reason}`;
    const event = {
      at: Date.now(),
      type: 'config.refused',
      service: null,
      instanceId: null,
      message,
      data: {},
    } as const;
    this.#registry
      .recordEvent(event)
      .catch((error: unknown) => this.log.warn({ err: error }, 'an event was not recorded'));
  }
}
