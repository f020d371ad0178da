import { isDeepStrictEqual } from 'node:util';
import { type LoadedConfig, loadConfig } from '../../../internal/config/load.ts';
import { watchConfig } from '../../../internal/config/watch.ts';
import { startProbe } from '../../../internal/health/probe.ts';
import { messageOf } from '../../../internal/model/errors.ts';
import type { Service } from '../../../internal/model/service.ts';
import { openProxy } from '../../../internal/registry/open.ts';
import type { ProxyRegistry } from '../../../internal/registry/registry.ts';
import type { Front } from '../../../internal/sync/front.ts';
import { SyncLink } from '../../../internal/sync/link.ts';
import { Lookout } from '../../../internal/sync/lookout.ts';
import { Synchroniser } from '../../../internal/sync/synchroniser.ts';
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
  readonly #lookout: Lookout;
  readonly #link: SyncLink;
  readonly #synchroniser: Synchroniser;
  readonly #abort = new AbortController();
  #following: Promise<void> = Promise.resolve();

  private constructor(front: Front, log: Logger, registry: ProxyRegistry, services: readonly Service[]) {
    this.log = log;
    this.#front = front;
    this.#synchroniser = new Synchroniser({
      front,
      picture: () => this.#lookout.picture(),
      onReport: () => void this.#link.report(),
      clock: systemClock,
      log,
    });
    this.#lookout = new Lookout(services, {
      startProbe,
      clock: systemClock,
      random: Math.random,
      log: log.child({ subsystem: 'health' }),
      onChange: () => this.#synchroniser.changed(),
      onHealth: ({ id: instanceId, incarnation, to: health, cause, at: since }) =>
        this.#link.saveHealth({ instanceId, incarnation, health, cause, since }),
    });
    this.#link = new SyncLink({
      registry,
      log: log.child({ subsystem: 'registry' }),
      now: Date.now,
      report: () => this.#synchroniser.report,
      onPicture: (snapshot) => this.#lookout.apply(snapshot),
      onBeat: () => void this.#synchroniser.look(),
    });
  }

  /** @throws {ConfigError}, {UsageError} nothing runs then. */
  static async start(given: SyncArguments, front: Front, chosen: Chosen): Promise<FrontSync> {
    const options = loadOptions(given.config);
    const loaded = await loadConfig(options);
    const log = syncLogger(given, loaded, front);
    const services = chosen(loaded.config.services);
    const proxyId = `${front.name}-${newProxyId()}`;
    const registry = await openProxy(loaded.config.registry, { proxyId, log: log.child({ subsystem: 'registry' }) });
    const sync = new FrontSync(front, log, registry, services);
    await sync.#link.start();
    sync.#follow(loaded, () => loadConfig(options), chosen);
    log.info({ services: services.map(({ name }) => name) }, `keeping ${front.name} true to the registry`);
    return sync;
  }

  /** The front goes on with what it has, and nobody changes that any more. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#following;
    this.#lookout.stop();
    await this.#synchroniser.stop();
    await this.#link.stop();
    this.log.info(`${this.#front.name} keeps what it has; until a sync runs again, nobody changes it`);
  }

  #follow({ path, config }: LoadedConfig, load: () => Promise<LoadedConfig>, chosen: Chosen): void {
    if (path === null) return;
    const { log } = this;
    this.#following = watchConfig(path, {
      applied: config,
      load,
      onChange: (next) => {
        this.#lookout.configure(chosen(next.services));
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
