import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createApi } from '../../internal/api/app.ts';
import { startApiServer } from '../../internal/api/http-server.ts';
import type { LoadedConfig } from '../../internal/config/load.ts';
import { managerUrlOf } from '../../internal/config/manager-url.ts';
import { nodeNameOf } from '../../internal/config/node-name.ts';
import type { Config } from '../../internal/config/schema.ts';
import { authority } from '../../internal/model/address.ts';
import type { RegistrySettings } from '../../internal/model/registry-settings.ts';
import type { RegistryWriter } from '../../internal/registry/registry.ts';
import { openManager } from '../../internal/registry/open.ts';
import { HostRules } from '../../internal/server/rules/host-rules.ts';
import { ServerManager } from '../../internal/server/server-manager.ts';
import { ChannelRoster } from '../../pkg/alerts/roster.ts';
import { TargetGuard } from '../../pkg/alerts/target-guard.ts';
import { createNotifiers } from '../../pkg/alerts/create-notifiers.ts';
import { AlertDispatcher } from '../../pkg/alerts/dispatcher.ts';
import { LeadingSink } from '../../pkg/alerts/leading-sink.ts';
import { systemClock } from '../../pkg/clock/clock.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { Gate } from '../../pkg/sockets/gate.ts';
import { HeimdallError } from '../../internal/model/errors.ts';
import { sinkOf } from '../runtime/alert-sink.ts';
import { ConfigFollower } from '../runtime/config-follower.ts';
import type { Inheritance } from '../runtime/inheritance.ts';
import type { LivingProcess } from '../runtime/living-process.ts';
import { type Address, MovableListener } from '../runtime/movable-listener.ts';
import { dashboardFolder, packageVersion } from '../runtime/package-info.ts';
import type { Running } from '../runtime/run-process.ts';
import { Successor } from '../runtime/successor.ts';
import { CalendarJobs } from './calendar-jobs.ts';
import { InheritedAlerts } from './inherited-alerts.ts';

const API_CLOSE_MS = 5_000;
/** How long requests may take that were under way when a successor is to take over: a drain or a deployment takes its time. */
const FINISH_MS = 60_000;
/** How long connections may be idle after that; their clients are answered by the successor. */
const RETIRE_MS = 15_000;

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
  /** Of the registry that is open, whatever the configuration says by now. */
  readonly #settings: RegistrySettings;
  readonly #alerts: AlertDispatcher;
  readonly #roster: ChannelRoster;
  readonly #inherited: InheritedAlerts;
  /** What every manager sees alike. */
  readonly #joint: LeadingSink;
  readonly #rules: HostRules;
  readonly #manager: ServerManager;
  readonly #follower: ConfigFollower;
  readonly #jobs: CalendarJobs;
  readonly #options: ManagerProcessOptions;
  readonly #gate: Gate;
  readonly #succession = Promise.withResolvers<void>();
  readonly #stopping = new AbortController();
  /** Settles when the present reload has come to its end, whichever. */
  #reloading: Promise<unknown> | null = null;
  #left: Promise<void> | null = null;
  #retired: Promise<void> | null = null;
  #api: MovableListener | null = null;
  /** Who may call the API. */
  #access: Config['manager'];

  private constructor(loaded: LoadedConfig, options: ManagerProcessOptions, registry: RegistryWriter) {
    const { config } = loaded;
    const { log } = options;
    this.log = log;
    this.#options = options;
    this.#gate = new Gate(options.inheritance.relayKey);
    this.#access = config.manager;
    this.#registry = registry;
    this.#settings = config.registry;
    this.#alerts = new AlertDispatcher({
      notifiers: createNotifiers(config.alerts),
      groupWindowMs: config.alerts.groupWindow,
      repeatAfterMs: config.alerts.repeatAfter,
      log: log.child({ subsystem: 'alerts' }),
      store: registry.alerts,
    });
    this.#roster = new ChannelRoster(this.#alerts, registry.alerts, config.alerts);
    this.#inherited = new InheritedAlerts(this.#alerts, systemClock);
    this.#joint = new LeadingSink(this.#alerts);
    const alerts = sinkOf(config, this.#alerts);
    this.#manager = new ServerManager({
      registry,
      host: config.node.address,
      node: nodeNameOf(config),
      url: () => managerUrlOf(this.#follower.applied),
      services: config.services,
      ports: config.ports,
      logLimits: config.instanceLogs,
      dataDir: dirname(config.registry.path),
      baseEnv: options.baseEnv,
      version: packageVersion,
      alerts,
      jointAlerts: this.#joint,
      speaking: { lead: (leading) => this.#lead(leading), gather: () => this.#gather() },
      log: log.child({ subsystem: 'server' }),
    });
    this.#rules = new HostRules({
      sink: alerts,
      jointSink: this.#joint,
      clock: systemClock,
      log: log.child({ subsystem: 'alerts' }),
      countEvents: (query) => registry.countEvents(query),
      instances: () => this.#manager.list(),
      dataDir: dirname(config.registry.path),
    });
    this.#jobs = new CalendarJobs({ registry, manager: this.#manager, log: log.child({ subsystem: 'jobs' }) });
    this.#follower = new ConfigFollower({
      loaded,
      reload: options.reload,
      alerts,
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
    const { config } = loaded;
    const log = options.log.child({ subsystem: 'registry' });
    const registry = await openManager(config.registry, { node: nodeNameOf(config), log });
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

  get succeeded(): Promise<void> {
    return this.#succession.promise;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#leave(this.#options.keep);
    await this.#api?.close();
    await this.#reloading?.catch(() => undefined); // whoever asked for it was told
  }

  /**
   * Starts a successor, which waits until this process has given up the registry. Whoever calls the API meanwhile waits, too:
   * in the queue of the socket that both have, or on an old connection to be passed on.
   * @throws {HeimdallError} RELOAD_RUNNING. RELOAD_FAILED: nothing has changed, unless it failed after the registry was given up;
   * then `succeeded` rejects, too.
   */
  async reload(): Promise<{ readonly pid: number; readonly successor: number }> {
    if (this.#reloading !== null) throw new HeimdallError('RELOAD_RUNNING', 'a successor is being started already');
    const reloading = this.#succeed();
    this.#reloading = reloading;
    return { pid: process.pid, successor: (await reloading).pid };
  }

  async #succeed(): Promise<Successor> {
    const successor = await this.#prepare().catch((error: unknown) => {
      this.#reloading = null;
      throw error;
    });
    try {
      await this.#handOver(successor);
    } catch (error) {
      void this.#gate.finished(0, API_CLOSE_MS).then(() => this.#succession.reject(error)); // whoever asked is told before
      throw error;
    }
    this.#succession.resolve();
    return successor;
  }

  /** The successor has all that counts; what is left are connections. */
  async retire(): Promise<void> {
    await this.#retired;
  }

  async #prepare(): Promise<Successor> {
    const api = await this.#api?.offer('api');
    const { starter, inheritance } = this.#options;
    const { driver, path } = this.#settings;
    const own = { starter, relayKey: inheritance.relayKey, registry: { driver, path, revision: 0 } };
    return Successor.start(api ? [api] : [], own, 'prepared', this.#stopping.signal);
  }

  async #handOver(successor: Successor): Promise<void> {
    const { host } = this.#follower.applied.manager;
    const ready = Promise.withResolvers<void>();
    this.#retired = this.#api?.retire(RETIRE_MS, ready.promise) ?? null;
    this.#gate.passOnTo({ host, port: this.#api?.port ?? 0, ready: ready.promise });
    try {
      await this.#gate.finished(1, FINISH_MS); // the one that asked for this is answered last
      await this.#leave(true);
      if (this.#stopping.signal.aborted) throw new HeimdallError('SHUTTING_DOWN', 'this process is to end');
      successor.go();
      await successor.until('ready');
      ready.resolve();
      if (this.#stopping.signal.aborted) await successor.stop(); // whoever stops this process cannot know of it
      successor.letGo();
    } catch (error) {
      ready.reject(error);
      await successor.kill();
      throw error;
    }
  }

  /** Once, whoever wants it first. */
  #leave(keep: boolean): Promise<void> {
    this.#left ??= this.#leaveRegistry(keep);
    return this.#left;
  }

  async #leaveRegistry(keep: boolean): Promise<void> {
    await this.#follower.stop(); // a change under way still schedules jobs
    this.#jobs.stop();
    this.#inherited.stop();
    this.#rules.stop();
    await this.#manager.stop({ keep });
    if (this.#retired === null) await this.#api?.close();
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
      await this.#roster.follow();
      await this.#inherited.takeOver();
      this.#rules.inherit(this.#alerts.inherited());
      this.#manager.announced.inherit(this.#alerts.inherited());
      await this.#manager.start();
      this.#inherited.check(await this.#instanceIds());
      void this.#rules.configure(config.alerts.rules, config.services);
      this.#jobs.schedule(config);
      this.#follower.start();
    } catch (error) {
      await this.#manager.stop({ keep: true });
      await this.#api.close();
      throw error;
    }
  }

  /** Whoever speaks for all goes on with what others have begun to tell. */
  async #lead(leading: boolean): Promise<void> {
    if (leading) await this.#gather();
    else this.#inherited.leaveJoint();
    this.#joint.lead(leading);
  }

  async #gather(): Promise<void> {
    const gathered = await this.#inherited.gather();
    this.#rules.inherit(gathered);
    this.#manager.announced.inherit(gathered);
  }

  /** As which other managers call this one. */
  #ownNames(): string[] {
    const url = managerUrlOf({ ...this.#follower.applied, manager: this.#access });
    return url === null ? [] : [new URL(url).hostname.replace(/^\[|\]$/g, '')];
  }

  async #instanceIds(): Promise<Set<string>> {
    const { instances } = await this.#registry.snapshot();
    return new Set(instances.map(({ id }) => id));
  }

  #listen({ host, port }: Address, [socket]: readonly number[]) {
    const app = createApi({
      manager: this.#manager,
      alerts: {
        test: () => this.#alerts.test(),
        rules: () => this.#rules.views(),
        book: this.#registry.alertBook,
        guard: () => new TargetGuard(this.#follower.applied.alerts.allowedNetworks),
        channelsChanged: () => this.#roster.follow(),
      },
      reload: () => this.reload(),
      token: () => this.#access.token,
      allowedHosts: () => [...this.#access.allowedHosts, host, ...this.#ownNames()],
      dashboardFolder,
      log: this.log.child({ subsystem: 'api' }),
      version: packageVersion,
    });
    return startApiServer({ app: this.#gate.around(app), host, port, socket, log: this.log });
  }

  /** Whatever can fail comes first, so that a refused configuration leaves the old one in force. */
  async #apply(next: Config, before: Config): Promise<void> {
    if (this.#retired !== null) return; // it is the successor's by now
    await this.#api?.move(next.manager);
    this.#access = next.manager; // before anything else is awaited: an address that others reach is never without its token
    await this.#manager.apply({ services: next.services, ports: next.ports, logLimits: next.instanceLogs });
    this.#roster.configure(next.alerts);
    await this.#rules.configure(next.alerts.rules, next.services);
    this.#jobs.schedule(next);
    this.log.level = next.log.level;
    if (!isDeepStrictEqual([next.registry, next.node], [before.registry, before.node]))
      this.log.warn('registry and node take effect after heimdall reload, or a restart');
  }

  #recordRefusal(path: string, reason: string): void {
    const message = `${path} was refused: ${reason}`;
    const event = {
      at: Date.now(),
      type: 'config.refused',
      service: null,
      instanceId: null,
      message,
      data: { actor: 'config file' },
    } as const;
    this.#registry
      .recordEvent(event)
      .catch((error: unknown) => this.log.warn({ err: error }, 'an event was not recorded'));
  }
}
