import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { type LoadedConfig, loadConfig } from '../../../internal/config/load.ts';
import { nodeNameOf } from '../../../internal/config/node-name.ts';
import type { Config } from '../../../internal/config/schema.ts';
import { watchConfig } from '../../../internal/config/watch.ts';
import { startProbe } from '../../../internal/health/probe.ts';
import { messageOf } from '../../../internal/model/errors.ts';
import type { Service } from '../../../internal/model/service.ts';
import { frontId } from '../../../internal/registry/front-id.ts';
import { LastWords } from '../../../internal/registry/last-words.ts';
import { openProxy } from '../../../internal/registry/open.ts';
import type { DemandRecord, ProxyRegistry } from '../../../internal/registry/registry.ts';
import type { Front } from '../../../internal/sync/front.ts';
import { FrontAlerts } from '../../../internal/sync/front-alerts.ts';
import { SyncLink } from '../../../internal/sync/link.ts';
import { Lookout } from '../../../internal/sync/lookout.ts';
import { Synchroniser } from '../../../internal/sync/synchroniser.ts';
import { createNotifiers } from '../../../pkg/alerts/create-notifiers.ts';
import { AlertDispatcher } from '../../../pkg/alerts/dispatcher.ts';
import { ChannelRoster } from '../../../pkg/alerts/roster.ts';
import { systemClock } from '../../../pkg/clock/clock.ts';
import { createLogger, type Logger } from '../../../pkg/logger/logger.ts';
import { newProxyId } from '../../load-balancer/identity.ts';
import { loadOptions } from '../../runtime/arguments.ts';
import type { Running } from '../../runtime/run-process.ts';

/** What both fronts take. */
export interface SyncArguments {
  readonly config?: string;
  readonly once: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Those of the services that the front serves. @throws {UsageError} when one of them is not configured. */
export type Chosen = (services: readonly Service[]) => Service[];

/** Keeps a front true to the registry until it is stopped. */
export class FrontSync implements Running {
  readonly log: Logger;
  readonly addresses = {};
  readonly #front: Front;
  readonly #chosen: Chosen;
  readonly #dispatcher: AlertDispatcher;
  readonly #roster: ChannelRoster;
  readonly #alerts: FrontAlerts;
  readonly #lookout: Lookout;
  readonly #link: SyncLink;
  readonly #synchroniser: Synchroniser;
  readonly #abort = new AbortController();
  /** All that are configured, whether the front serves them or not. */
  #services: readonly Service[];
  #following: Promise<void> = Promise.resolve();

  private constructor(
    front: Front,
    log: Logger,
    registry: ProxyRegistry,
    { services, alerts, registry: { etcd } }: Config,
    chosen: Chosen,
  ) {
    this.log = log;
    this.#front = front;
    this.#chosen = chosen;
    this.#services = services;
    this.#dispatcher = new AlertDispatcher({
      notifiers: createNotifiers(alerts),
      groupWindowMs: alerts.groupWindow,
      repeatAfterMs: alerts.repeatAfter,
      log: log.child({ subsystem: 'alerts' }),
      store: registry.alerts,
    });
    this.#roster = new ChannelRoster(this.#dispatcher, registry.alerts, alerts);
    this.#alerts = new FrontAlerts({
      front: `${front.name} on ${hostname()}`,
      proxyId: registry.proxyId,
      sink: this.#dispatcher,
      follow: () => this.#roster.follow(),
      lastWords: new LastWords(registry, systemClock),
      services: () => this.#lookout.examined(),
      areSome: () => chosen(this.#services).length < this.#services.length,
      now: Date.now,
      namesNodes: etcd !== undefined,
    });
    this.#synchroniser = new Synchroniser({
      front,
      picture: () => this.#lookout.picture(),
      onReport: () => void this.#link.report(),
      onBehind: (why) => this.#alerts.behind(why),
      onWarned: (warnings) => this.#alerts.warned(warnings),
      clock: systemClock,
      log,
    });
    this.#lookout = new Lookout(chosen(services), {
      startProbe,
      clock: systemClock,
      random: Math.random,
      log: log.child({ subsystem: 'health' }),
      onChange: () => {
        this.#synchroniser.changed();
        this.#alerts.changed();
      },
      onHealth: ({ id: instanceId, incarnation, to: health, cause, at: since }) =>
        this.#link.saveHealth({ instanceId, incarnation, health, cause, since }),
    });
    this.#link = new SyncLink({
      registry,
      alerts: this.#dispatcher,
      log: log.child({ subsystem: 'registry' }),
      now: Date.now,
      report: () => ({ ...this.#synchroniser.report, demand: this.#demand() }),
      onRecalled: (records) => this.#lookout.remember(records),
      onPicture: (snapshot) => {
        this.#alerts.away(snapshot.away ?? []);
        this.#lookout.apply(snapshot);
      },
      onBeat: async (leading) => {
        void this.#synchroniser.look();
        await this.#alerts.lead(leading);
      },
    });
  }

  /** @throws {HeimdallError} nothing runs then. */
  static async start(given: SyncArguments, loaded: LoadedConfig, front: Front, chosen: Chosen): Promise<FrontSync> {
    const { config } = loaded;
    const log = syncLogger(given, loaded, front);
    const services = chosen(config.services).map(({ name }) => name);
    const proxyId = frontId(front.name, services, newProxyId());
    const registry = await openProxy(config.registry, {
      proxyId,
      node: nodeNameOf(config),
      log: log.child({ subsystem: 'registry' }),
    });
    const sync = new FrontSync(front, log, registry, config, chosen);
    await sync.#link.start();
    sync.#follow(loaded, () => loadConfig(loadOptions(given.config)));
    log.info({ services }, `keeping ${front.name} true to the registry`);
    return sync;
  }

  /** The front goes on with what it has, and nobody changes that any more. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#following;
    this.#lookout.stop();
    await this.#synchroniser.stop();
    await this.#dispatcher.flush();
    this.#dispatcher.close();
    await this.#link.stop();
    this.log.info(`${this.#front.name} keeps what it has; until a sync runs again, nobody changes it`);
  }

  /** Requests go through the front, but nobody can tell how many: without a word of that they would count as none. */
  #demand(): DemandRecord[] {
    return this.#chosen(this.#services).map(({ name }) => ({ service: name, waiting: 0, requests: null }));
  }

  #follow({ path, config }: LoadedConfig, load: () => Promise<LoadedConfig>): void {
    if (path === null) return;
    const { log } = this;
    this.#following = watchConfig(path, {
      applied: config,
      load,
      onChange: (next) => {
        this.#lookout.configure(this.#chosen(next.services));
        this.#services = next.services;
        this.#roster.configure(next.alerts);
        log.level = next.log.level;
        log.info({ path }, 'the changed configuration is in force');
        if (!isDeepStrictEqual(next.registry, config.registry)) log.warn('registry takes effect after a restart');
      },
      onRefused: (error) => {
        const reason = messageOf(error);
        log.error({ path, reason }, `the changed configuration is refused, the old one stays in force: ${reason}`);
      },
      signal: this.#abort.signal,
    });
  }
}

function syncLogger({ json }: SyncArguments, { config }: LoadedConfig, front: Front): Logger {
  return createLogger({ name: `sync-${front.name}`, level: config.log.level, ...(json ? { pretty: false } : {}) });
}
