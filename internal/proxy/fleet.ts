import { type Clock, systemClock } from '../../pkg/clock/clock.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import type { FallenSilent, HealthChange, HealthMonitor, MonitorTarget } from '../health/monitor.ts';
import { isUnreachable } from '../health/silence.ts';
import type { HealthRecord } from '../model/health.ts';
import { incarnationOf } from '../model/incarnation.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import type { Ejection, EjectionRecord, Standing } from '../model/ejection.ts';
import type { ServiceState } from '../model/service-state.ts';
import type { DemandRecord, LatencyRecord, TrafficRecord } from '../registry/registry.ts';
import { conditionCause } from '../health/condition-cause.ts';
import { type Destination, routerOf } from './destination.ts';
import { readHoldPage } from './hold-page.ts';
import { Memories } from './memories.ts';
import { Newcomers } from './newcomers.ts';
import type { PoolEvents } from './pool-parts.ts';
import { RateLimits } from './rate-limit/rate-limits.ts';
import { demandOf, isWatched, trafficOf } from './reports.ts';
import type { Router } from './routing.ts';
import { ServicePool } from './service-pool.ts';
import { SettingsInForce } from './settings-in-force.ts';
import { SharedState } from './shared-state.ts';
import type { SilentUpstream } from './silent-upstream.ts';
import { ROOM, SlotAllocator } from './slot-allocator.ts';
import { Upstream } from './upstream.ts';
import { Wanted } from './wanted.ts';

export interface FleetOptions {
  readonly cookieSecret: string;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly log: Logger;
  readonly listener: FleetListener;
  /** Gives out the places of pools and upstreams; its own by default, for a fleet of one thread. */
  readonly slots?: SlotAllocator;
  /** For slow starts; the system's by default. */
  readonly clock?: Clock;
}

/** Hears of changes after they are in force. */
export interface FleetListener {
  /** The pool's members, their lifecycle, their health or an ejection changed. */
  poolChanged(pool: ServicePool): void;
  poolRemoved(name: string): void;
  /** What checks and requests together say of it, see `Upstream.condition`. */
  healthChanged(upstream: Upstream, change: HealthChange): void;
  /** Requests that wait for it are to be repeated elsewhere, where they may be. */
  fellSilent(upstream: SilentUpstream): void;
  /** See `ejections`. */
  ejectionsChanged(): void;
  /** An upstream fails again and again: it is to be judged at once. */
  failing(): void;
  upstreamRemoved(id: string): void;
  /** A request on a draining upstream ended. */
  drained(): void;
  /** Requests of a service are held now; before, none were. */
  held(): void;
}

/**
 * All pools of this load balancer, kept true to two sources: the configuration (services and their `servers`) and the
 * registry's last picture (instances, and what was set by hand). Both are applied as a diff: what a change does not concern keeps its connections and its memory.
 */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #slots: SlotAllocator;
  readonly #pools = new Map<string, ServicePool>();
  readonly #poolEvents: PoolEvents;
  readonly #settings = new SettingsInForce();
  readonly #newcomers: Newcomers;
  #monitor: HealthMonitor | null = null;
  /** By service. */
  #spawned: ReadonlyMap<string, readonly Instance[]> = new Map();
  readonly #draining = new Set<Upstream>();
  /** What each pool was last brought in line with. */
  readonly #inForce = new WeakMap<ServicePool, Wanted>();
  /** Pools of services that are configured no more, while requests still run on them: a drain waits for those, too. */
  readonly #leaving = new Set<ServicePool>();
  #memories = new Memories();
  readonly limits: RateLimits;
  #router: Router<Destination>;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#slots = options.slots ?? new SlotAllocator(SharedState.create({ ...ROOM, threads: 0 }));
    this.limits = RateLimits.create(this.#slots.state.size.threads, options.now);
    this.#router = routerOf([], this.limits);
    this.#poolEvents = {
      connectFailed: (upstream, cause) => {
        if (upstream.health === 'unhealthy') this.#cannotBeReached(upstream);
        else this.#monitor?.reportFailure(upstream.id, `connect ${cause}`);
      },
      failing: () => options.listener.failing(),
      drained: () => options.listener.drained(),
      held: () => options.listener.held(),
    };
    this.#newcomers = new Newcomers(options.clock ?? systemClock);
  }

  /** To be called once, before the first `configure`: the monitor reports to `healthChanged`, the fleet gives it its targets. */
  checkWith(monitor: HealthMonitor): void {
    this.#monitor = monitor;
  }

  /** What is known from before a restart, for instances that are still the same process. */
  remember(
    records: readonly HealthRecord[],
    latencies: readonly LatencyRecord[] = [],
    ejections: readonly EjectionRecord[] = [],
  ): void {
    this.#memories = new Memories(records, latencies, ejections);
  }

  /** What the algorithms have learned of the instances. */
  latencies(): LatencyRecord[] {
    const epoch = this.#epoch();
    return [...this.#upstreams()].flatMap(({ id: instanceId, incarnation, cost, costAt }) =>
      Number.isFinite(cost) ? [{ instanceId, incarnation, cost, at: Math.round(costAt + epoch) }] : [],
    );
  }

  /** Those that are ejected, or on trial. */
  ejections(): EjectionRecord[] {
    return [...this.#upstreams()].flatMap(({ id: instanceId, incarnation, ejection }) =>
      ejection === null ? [] : [{ instanceId, incarnation, ...ejection }],
    );
  }

  configure(services: readonly Service[]): void {
    for (const name of [...this.#pools.keys()]) {
      if (!services.some((service) => service.name === name)) this.#removePool(name);
    }
    const isFirst = this.#settings.orders.length === 0;
    this.#settings.configured = services;
    this.#order();
    this.limits.configure(services);
    this.#router = routerOf(this.#pools.values(), this.limits);
    for (const pool of this.#pools.values()) pool.page = this.#pageOf(pool.service);
    this.#sync();
    if (!isFirst) return;
    for (const upstream of this.#upstreams()) this.#newcomers.found(upstream);
  }

  /**
   * Takes over the registry's picture. When it returns, what concerns picks (lifecycle, weight, pause) is in force in all
   * threads; new upstreams and settings are on their way there.
   */
  apply(instances: readonly Instance[], states: readonly ServiceState[] = []): void {
    this.#spawned = Map.groupBy(instances, ({ service }) => service);
    this.#settings.states = states;
    this.#sync(this.#order());
  }

  match(host: string, target: string): Destination | undefined {
    return this.#router.match(host, target);
  }

  /** Where a request to a service goes, whatever its routes; the limit of the one that it would match holds. */
  matchWithin(service: string, host: string, target: string): Destination | undefined {
    const pool = this.#pools.get(service);
    if (pool === undefined) return undefined;
    return this.#router.match(host, target, (found) => found.pool === pool) ?? { pool, limiter: null };
  }

  /** The pool of a service, whatever its routes. */
  pool(service: string): ServicePool | undefined {
    return this.#pools.get(service);
  }

  pools(): Iterable<ServicePool> {
    return this.#pools.values();
  }

  /** In-flight requests of every draining upstream, and of those whose service is configured no more. */
  drainingInFlight(): Map<string, number> {
    const counts = new Map<string, number>();
    const count = ({ id, inFlight }: Upstream) => counts.set(id, (counts.get(id) ?? 0) + inFlight);
    for (const upstream of this.#draining) count(upstream);
    for (const pool of this.#leaving) {
      const busy = [...pool.upstreams()].filter(({ inFlight, isReplaced }) => inFlight > 0 && !isReplaced);
      if (busy.length === 0) this.#leaving.delete(pool);
      for (const upstream of busy) count(upstream);
    }
    return counts;
  }

  /** Requests on the instances of which the manager needs to know. */
  traffic(): TrafficRecord[] {
    const watched = this.#settings.orders.filter(isWatched).map(({ service }) => this.#pools.get(service.name));
    return watched.flatMap((pool) => (pool === undefined ? [] : trafficOf(pool)));
  }

  /** Requests to every service. */
  demand(): DemandRecord[] {
    return Array.from(this.#pools.values(), demandOf);
  }

  /** Called by the monitor. */
  healthChanged(change: HealthChange): void {
    for (const pool of this.#pools.values()) {
      const upstream = pool.get(change.id);
      if (upstream === undefined || upstream.incarnation !== change.incarnation) continue;
      upstream.health = change.to;
      upstream.healthCause = change.cause;
      if (change.from !== change.to) upstream.healthSince = change.at;
      upstream.unreachable = change.to === 'unhealthy' && isUnreachable(change.cause);
      this.#conditionChanged(pool, upstream, change);
    }
  }

  /** Called by the monitor, after `healthChanged`. */
  fellSilent({ id, incarnation, silence, cause }: FallenSilent): void {
    for (const upstream of this.#upstreams()) {
      if (upstream.id !== id || upstream.incarnation !== incarnation) continue;
      this.#options.listener.fellSilent({ id, ordinal: upstream.ordinal, silence, cause });
    }
  }

  /**
   * Called by the ejector.
   * @param ejection - null: it gets requests as usual again.
   */
  judge(pool: ServicePool, upstream: Upstream, standing: Standing, ejection: Ejection | null): void {
    const { id, incarnation, condition: from } = upstream;
    upstream.standing = standing;
    upstream.ejection = ejection;
    const at = (this.#options.clock ?? systemClock).now();
    this.#conditionChanged(pool, upstream, { id, incarnation, from, at });
    this.#options.listener.ejectionsChanged();
  }

  /** Its checks fail for another reason, or did so far. */
  #cannotBeReached(upstream: Upstream): void {
    if (upstream.unreachable) return;
    upstream.unreachable = true;
    this.#pools.get(upstream.instance.service)?.invalidate();
  }

  #conditionChanged(pool: ServicePool, upstream: Upstream, change: Omit<HealthChange, 'to' | 'cause'>): void {
    const { listener } = this.#options;
    const { condition: to } = upstream;
    this.#newcomers.look(pool, [upstream]); // before anybody can pick it
    pool.invalidate();
    if (to !== change.from || to === 'ejected') {
      listener.healthChanged(upstream, { ...change, to, cause: conditionCause(upstream) });
    }
    listener.poolChanged(pool);
  }

  /** Another thread could not connect. @param ordinal - of its upstream, which tells it from its predecessors. */
  connectFailed(id: string, ordinal: number, cause: string): void {
    for (const upstream of this.#upstreams()) {
      if (upstream.id === id && upstream.ordinal === ordinal) this.#poolEvents.connectFailed(upstream, cause);
    }
  }

  /** Gives the pools their orders. @returns those for which something has changed. */
  #order(): Set<ServicePool> {
    const changed = new Set<ServicePool>();
    for (const { service, state } of this.#settings.orders) {
      const present = this.#pools.get(service.name);
      const pool = present ?? this.#newPool(service);
      this.#pools.set(service.name, pool);
      if (pool.service !== service) {
        pool.configure(service, this.#options.cookieSecret);
        changed.add(pool);
      }
      const isPaused = state !== null && state.pausedSince !== null;
      if (pool.paused === isPaused) continue;
      pool.paused = isPaused;
      this.#options.log.info({ service: pool.name }, isPaused ? 'paused: new requests are held' : 'resumed');
    }
    return changed;
  }

  #pageOf({ name, hold }: Service): string | null {
    return hold.page === undefined ? null : readHoldPage(hold.page, name, this.#options.log);
  }

  #newPool(service: Service): ServicePool {
    const place = { state: this.#slots.state, pool: this.#slots.pool() };
    return new ServicePool(service, this.#options.cookieSecret, this.#poolEvents, this.#options.now, place);
  }

  #removePool(name: string): void {
    const pool = this.#pools.get(name);
    if (pool === undefined) return;
    this.#pools.delete(name);
    pool.close();
    this.#newcomers.forget(pool);
    this.#leaving.add(pool);
    for (const upstream of pool.upstreams()) this.#forget(upstream);
    this.#tellMonitor(
      [],
      Array.from(pool.upstreams(), ({ id }) => id),
    );
    this.#slots.retirePool(pool.place.pool);
    this.#options.listener.poolRemoved(name);
  }

  /** @param changed - pools with other settings. */
  #sync(changed = new Set<ServicePool>()): void {
    const differences = Array.from(this.#pools.values(), (pool) => this.#syncPool(pool));
    for (const { pool, isChanged } of differences) if (isChanged) changed.add(pool);
    this.#tellMonitor(
      differences.flatMap(({ touched }) => touched),
      differences.flatMap(({ gone }) => gone),
    );
    for (const pool of changed) this.#options.listener.poolChanged(pool);
  }

  #syncPool(pool: ServicePool) {
    const wanted = new Wanted(pool.service, this.#spawned.get(pool.name) ?? NONE);
    const { changed, gone } = wanted.since(this.#inForce.get(pool) ?? null);
    let isChanged = gone.length > 0;
    for (const id of gone) this.#removeUpstream(pool, id);
    for (const instance of changed) isChanged = this.#syncUpstream(pool, instance) || isChanged;
    const touched = changed.flatMap(({ id }) => pool.get(id) ?? []);
    if (isChanged || touched.length > 0) this.#newcomers.look(pool, touched);
    this.#inForce.set(pool, wanted); // not before: what could not be done now is tried again with the next picture
    return { pool, isChanged, touched, gone };
  }

  #removeUpstream(pool: ServicePool, id: string): void {
    const upstream = pool.get(id);
    if (upstream === undefined) return;
    pool.delete(id);
    this.#forget(upstream);
    this.#options.log.info({ service: pool.name, instance: id }, 'upstream removed');
  }

  #syncUpstream(pool: ServicePool, instance: Instance): boolean {
    const present = pool.get(instance.id);
    if (present?.incarnation === incarnationOf(instance) && sameAddress(present.instance, instance)) {
      const { lifecycle, weight, lastError } = present.instance;
      if (lifecycle === instance.lifecycle && weight === instance.weight && lastError === instance.lastError)
        return false;
      present.update(instance);
      this.#noteDrain(present);
      pool.invalidate();
    } else {
      const upstream = new Upstream(instance, { state: this.#slots.state, slot: this.#slots.upstream() });
      this.#memories.recall(upstream, this.#epoch());
      pool.put(upstream);
      this.#noteDrain(upstream);
      if (present) this.#forget(present);
    }
    const { id, lifecycle, host, port } = instance;
    const level = lifecycle === 'starting' ? 'debug' : 'info';
    this.#options.log[level]({ service: pool.name, instance: id, lifecycle, host, port }, `upstream is ${lifecycle}`);
    return true;
  }

  /** What the pools' clock says plus this are epoch milliseconds: ages outlive the process, readings of its clock do not. */
  #epoch(): number {
    const { clock = systemClock, now } = this.#options;
    return clock.now() - now();
  }

  #noteDrain(upstream: Upstream): void {
    if (upstream.instance.lifecycle === 'draining') this.#draining.add(upstream);
    else this.#draining.delete(upstream);
  }

  #forget(upstream: Upstream): void {
    this.#draining.delete(upstream);
    this.#slots.retire(upstream.slot);
    this.#options.listener.upstreamRemoved(upstream.id);
  }

  /** Draining instances are probed no more: nobody will be sent there, whatever the answer. */
  #tellMonitor(touched: readonly Upstream[], gone: readonly string[]): void {
    const [ready, others] = [new Map<string, MonitorTarget>(), [...gone]];
    for (const { id, incarnation, instance, health } of touched) {
      const { host, port, service, lifecycle } = instance;
      const check = this.#pools.get(service)?.service.healthCheck;
      if (check === undefined || lifecycle !== 'ready') others.push(id);
      else ready.set(id, { host, port, check, incarnation, initial: health });
    }
    this.#monitor?.change(ready, others);
  }

  *#upstreams(): Generator<Upstream> {
    for (const pool of this.#pools.values()) yield* pool.upstreams();
  }
}

const NONE: readonly Instance[] = [];

function sameAddress(a: Instance, b: Instance): boolean {
  return a.host === b.host && a.port === b.port;
}
