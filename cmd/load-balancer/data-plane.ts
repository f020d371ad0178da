import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../internal/config/schema.ts';
import { HealthMonitor } from '../../internal/health/monitor.ts';
import { startProbe, type StartProbe } from '../../internal/health/probe.ts';
import { ConcurrencyControl } from '../../internal/proxy/concurrency-control.ts';
import { Ejector } from '../../internal/proxy/ejector.ts';
import { Fleet, type FleetListener } from '../../internal/proxy/fleet.ts';
import { HealthAlerts } from '../../internal/health/health-alerts.ts';
import { LastWords } from '../../internal/registry/last-words.ts';
import { RecentTraffic } from '../../internal/proxy/recent-traffic.ts';
import { RegistryLink } from '../../internal/proxy/registry-link.ts';
import { TrafficRules } from '../../internal/proxy/rules/traffic-rules.ts';
import type { ServicePool } from '../../internal/proxy/service-pool.ts';
import type { SilentUpstream } from '../../internal/proxy/silent-upstream.ts';
import type { SlotAllocator } from '../../internal/proxy/slot-allocator.ts';
import type { ProxyRegistry } from '../../internal/registry/registry.ts';
import { createNotifiers } from '../../pkg/alerts/create-notifiers.ts';
import { ChannelRoster } from '../../pkg/alerts/roster.ts';
import type { AlertSink } from '../../pkg/alerts/alert.ts';
import { AlertDispatcher } from '../../pkg/alerts/dispatcher.ts';
import { systemClock } from '../../pkg/clock/clock.ts';
import { sharedNow } from '../../pkg/clock/shared-now.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { sinkOf } from '../runtime/alert-sink.ts';

/** How long the start waits for the first round of probes, in milliseconds: an instance that hangs must not hold it up. */
const FIRST_ROUND_MS = 1_000;

export interface DataPlaneOptions {
  readonly config: Config;
  readonly registry: ProxyRegistry;
  readonly cookieSecret: string;
  readonly log: Logger;
  /** Requests that wait for it are to be repeated elsewhere, where they may be. */
  readonly rescue: (from: SilentUpstream) => void;
  /** The upstream is gone for good. */
  readonly upstreamRemoved: (id: string) => void;
  /** Gives out the places of pools and upstreams when several threads share them. */
  readonly slots?: SlotAllocator;
  /** Pools came, went, or have other members or settings. */
  readonly poolsChanged?: () => void;
  /** How an instance is checked; over the network by default. */
  readonly startProbe?: StartProbe;
}

/** What every load balancer is made of, whoever takes the requests: the pools, their health, the registry and the alerts. */
export class DataPlane {
  readonly registry: ProxyRegistry;
  readonly alerts: AlertDispatcher;
  /** Takes what this load balancer tells of itself. */
  readonly ownAlerts: AlertSink;
  readonly fleet: Fleet;
  readonly link: RegistryLink;
  readonly ejector: Ejector;
  readonly #roster: ChannelRoster;
  readonly #concurrency: ConcurrencyControl;
  readonly recent: RecentTraffic;
  readonly rules: TrafficRules;
  readonly #healthAlerts: HealthAlerts;
  readonly #monitor: HealthMonitor;
  /** Pools that have changed since alerts were last thought of. */
  readonly #unseen = new Set<ServicePool>();
  readonly #options: DataPlaneOptions;

  constructor(options: DataPlaneOptions) {
    const { config, registry, cookieSecret, log, slots } = options;
    this.registry = registry;
    this.#options = options;
    this.alerts = new AlertDispatcher({
      notifiers: createNotifiers(config.alerts),
      groupWindowMs: config.alerts.groupWindow,
      repeatAfterMs: config.alerts.repeatAfter,
      log: log.child({ subsystem: 'alerts' }),
      store: registry.alerts,
    });
    this.ownAlerts = sinkOf(config, this.alerts);
    this.#roster = new ChannelRoster(this.alerts, registry.alerts, config.alerts);
    this.#healthAlerts = new HealthAlerts(
      this.alerts,
      Date.now,
      new LastWords(registry, systemClock),
      config.registry.etcd !== undefined,
    );
    this.fleet = new Fleet({
      cookieSecret,
      now: sharedNow, // what is remembered of latencies is read by the threads
      log: log.child({ subsystem: 'fleet' }),
      listener: this.#fleetListener(),
      ...(slots === undefined ? {} : { slots }),
    });
    this.#monitor = new HealthMonitor({
      startProbe: options.startProbe ?? startProbe,
      clock: systemClock,
      random: Math.random,
      onTransition: (change) => this.fleet.healthChanged(change),
      onSilent: (silent) => this.fleet.fellSilent(silent),
      log: log.child({ subsystem: 'health' }),
    });
    this.ejector = new Ejector({
      fleet: this.fleet,
      clock: systemClock,
      now: sharedNow,
      random: Math.random,
      log: log.child({ subsystem: 'health' }),
    });
    this.#concurrency = new ConcurrencyControl({
      fleet: this.fleet,
      clock: systemClock,
      now: sharedNow,
      random: Math.random,
    });
    const pools = () => this.fleet.pools();
    this.recent = new RecentTraffic(systemClock, pools);
    this.rules = new TrafficRules({ sink: this.alerts, clock: systemClock, pools, recent: this.recent });
    this.link = new RegistryLink({
      registry,
      fleet: this.fleet,
      alerts: this.ownAlerts,
      log: log.child({ subsystem: 'registry' }),
      now: Date.now,
      onLeading: (leading) => this.#lead(leading),
      onAway: (nodes) => this.#lookWithout(nodes),
    });
  }

  /** Resolves with the registry's picture in force and the first round of probes behind it. */
  async start({ services, alerts }: Pick<Config, 'services' | 'alerts'>): Promise<void> {
    this.fleet.checkWith(this.#monitor);
    await this.link.start(() => {
      this.fleet.configure(services);
      this.rules.configure(alerts.rules);
      this.#options.poolsChanged?.();
    });
    this.ejector.start();
    this.#concurrency.start();
    this.recent.start();
    await Promise.race([this.#monitor.firstRound(), delay(FIRST_ROUND_MS)]);
  }

  configure({ services, alerts }: Config): void {
    this.fleet.configure(services);
    this.rules.configure(alerts.rules);
    this.#options.poolsChanged?.();
    this.#roster.configure(alerts);
  }

  /** A successor has taken over: from now on it speaks for all load balancers. */
  async stepBack(): Promise<void> {
    await this.link.stepBack();
    await this.#lead(false);
  }

  /** Sends what alerts are left, and leaves the registry, so to be called when no request runs any more. */
  async stop(): Promise<void> {
    this.#monitor.stop();
    this.ejector.stop();
    this.#concurrency.stop();
    this.recent.stop();
    this.rules.stop();
    this.#lookNow();
    await this.alerts.flush();
    this.alerts.close();
    await this.link.stop();
  }

  /** Whoever speaks for all goes on with what others have begun to tell. What troubled those others alone is over. */
  async #lead(leading: boolean): Promise<void> {
    await this.#roster.follow(); // whoever speaks for all: troubles of its own everybody tells
    const inherited = leading ? await this.alerts.takeOver() : [];
    this.#healthAlerts.lead(leading);
    this.rules.lead(leading);
    if (inherited.length === 0) return;
    const others = this.#healthAlerts.inherit(inherited, this.fleet.pools());
    for (const { key } of this.rules.inherit(others)) this.alerts.resolve(key);
  }

  #lookWithout(nodes: ReadonlySet<string>): void {
    this.#healthAlerts.away(nodes);
    for (const pool of this.fleet.pools()) this.#lookSoon(pool);
  }

  /** What happens in one turn of the event loop, such as the answers of many probes, is looked at once. */
  #lookSoon(pool: ServicePool): void {
    if (this.#unseen.size === 0) setImmediate(() => this.#lookNow());
    this.#unseen.add(pool);
  }

  #lookNow(): void {
    for (const pool of this.#unseen) this.#healthAlerts.update(pool);
    this.#unseen.clear();
  }

  #fleetListener(): FleetListener {
    return {
      poolChanged: (pool) => {
        this.#options.poolsChanged?.();
        this.#lookSoon(pool);
      },
      poolRemoved: (name) => {
        for (const pool of this.#unseen) if (pool.name === name) this.#unseen.delete(pool);
        this.#healthAlerts.removed(name);
      },
      healthChanged: ({ id, incarnation }, { to, cause, at }) => {
        const { proxyId } = this.registry;
        this.link.memory.saveHealth({ instanceId: id, incarnation, health: to, cause, since: at, proxyId });
      },
      fellSilent: this.#options.rescue,
      ejectionsChanged: () => this.link.memory.saveEjectionsSoon(),
      failing: () => this.ejector.lookSoon(),
      upstreamRemoved: this.#options.upstreamRemoved,
      drained: () => this.link.reportSoon(),
      held: () => this.link.reportSoon(),
    };
  }
}
