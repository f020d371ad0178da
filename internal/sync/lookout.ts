import type { Clock } from '../../pkg/clock/clock.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import type { ExaminedService } from '../health/health-alerts.ts';
import { type HealthChange, HealthMonitor, type MonitorTarget } from '../health/monitor.ts';
import type { StartProbe } from '../health/probe.ts';
import type { ProbeTarget } from '../health/probe-request.ts';
import { isUnreachable } from '../health/silence.ts';
import type { HealthRecord } from '../model/health.ts';
import type { HealthCheck } from '../model/health-check.ts';
import { incarnationOf } from '../model/incarnation.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import type { Snapshot } from '../registry/registry.ts';
import { type Condition, instancesOf, type Picture, pictureOf } from './picture.ts';

/** A front tells nobody of failed requests, so that its servers are looked at more often than those of a load balancer of ours. */
const LONGEST_INTERVAL_MS = 500;
/** A host that is there takes a connection within this, however slow the app: the system does it. */
const CONNECT_MS = 200;
/**
 * How long the first picture waits for the first round of checks: a server that hangs must not hold it up. It waits on as long as
 * nobody is known of a service that has instances: the front may have them, and must not lose them.
 */
const FIRST_ROUND_MS = 1_000;

export interface LookoutOptions {
  readonly startProbe: StartProbe;
  readonly clock: Clock;
  /** In [0, 1), as `Math.random`. */
  readonly random: () => number;
  readonly log: Logger;
  /** The picture may be another one now. */
  readonly onChange: () => void;
  readonly onHealth: (change: HealthChange) => void;
}

/** Knows what a front should look like: what the registry and the configuration say, and what checks say of it. */
export class Lookout {
  readonly #options: LookoutOptions;
  readonly #monitor: HealthMonitor;
  readonly #ids = new WeakMap<ProbeTarget, string>();
  /** Why the health of an instance is what it is, by its id. */
  readonly #causes = new Map<string, string>();
  /** What is known of a time before this process, by incarnation. */
  #memories: ReadonlyMap<string, HealthRecord> = new Map();
  #services: readonly Service[];
  #snapshot: Snapshot | null = null;
  #isReady = false;

  /** @param services - those that the front serves. */
  constructor(services: readonly Service[], options: LookoutOptions) {
    this.#services = services;
    this.#options = options;
    this.#monitor = new HealthMonitor({
      ...options,
      startProbe: (...probe) => this.#probe(...probe),
      onTransition: (change) => this.#heard(change),
    });
  }

  /** Null as long as nothing is known of the registry, or of the servers in it. */
  picture(): Picture | null {
    if (this.#snapshot === null || !this.#isReady) return null;
    return pictureOf(this.#snapshot, this.#services, this.#conditionOf);
  }

  /** The services as they are now, for alerts; null as `picture`. */
  examined(): ExaminedService[] | null {
    const snapshot = this.#snapshot;
    if (snapshot === null || !this.#isReady) return null;
    return this.#services.map((service) => ({
      name: service.name,
      upstreams: () => instancesOf(service, snapshot).map((instance) => this.#examine(instance)),
    }));
  }

  /** What is remembered of health from an earlier run, for instances that are still the same process. */
  remember(records: readonly HealthRecord[]): void {
    this.#memories = new Map(records.map((record) => [record.incarnation, record]));
  }

  configure(services: readonly Service[]): void {
    this.#services = services;
    this.#look();
  }

  apply(snapshot: Snapshot): void {
    const isFirst = this.#snapshot === null;
    this.#snapshot = snapshot;
    this.#look();
    if (!isFirst) return;
    const enough = () => this.#services.every((service) => this.#knowsSomeOf(service, snapshot));
    const cancel = this.#options.clock.after(FIRST_ROUND_MS, () => enough() && this.#ready(), true);
    void this.#monitor.firstRound().then(() => {
      cancel();
      this.#ready();
    });
  }

  stop(): void {
    this.#monitor.stop();
  }

  readonly #conditionOf = ({ id }: Instance): Condition => ({
    health: this.#monitor.health(id),
    unreachable: this.#monitor.health(id) === 'unhealthy' && isUnreachable(this.#causes.get(id) ?? ''),
  });

  #examine(instance: Instance) {
    const { id } = instance;
    const condition = this.#monitor.health(id);
    const healthCause = this.#causes.get(id) ?? '';
    const isFit = condition === 'healthy';
    return { id, instance, condition, standing: 'in' as const, ejection: null, healthCause, isFit };
  }

  #knowsSomeOf(service: Service, snapshot: Snapshot): boolean {
    const ready = instancesOf(service, snapshot).filter(({ lifecycle }) => lifecycle === 'ready');
    return ready.length === 0 || ready.some(({ id }) => this.#monitor.health(id) !== 'unknown');
  }

  #ready(): void {
    this.#isReady = true;
    this.#memories = new Map(); // they are old news by the time that anybody could ask again
    this.#options.onChange();
  }

  #look(): void {
    const targets = this.#targets();
    this.#monitor.set(targets);
    for (const id of this.#causes.keys()) if (!targets.has(id)) this.#causes.delete(id);
    this.#options.onChange();
  }

  #targets(): Map<string, MonitorTarget> {
    const targets = new Map<string, MonitorTarget>();
    for (const service of this.#snapshot === null ? [] : this.#services) {
      const check = { ...service.healthCheck, interval: Math.min(service.healthCheck.interval, LONGEST_INTERVAL_MS) };
      for (const instance of instancesOf(service, this.#snapshot ?? { instances: [] })) {
        if (instance.lifecycle !== 'ready') continue;
        const target = this.#targetOf(instance, check);
        this.#ids.set(target, instance.id);
        targets.set(instance.id, target);
      }
    }
    return targets;
  }

  #targetOf(instance: Instance, check: HealthCheck): MonitorTarget {
    const { id, host, port } = instance;
    const incarnation = incarnationOf(instance);
    const target = { host, port, check, incarnation };
    const memory = this.#memories.get(incarnation);
    if (memory === undefined) return target;
    if (!this.#causes.has(id)) this.#causes.set(id, memory.cause);
    return { ...target, initial: memory.health === 'ejected' ? 'healthy' : memory.health }; // who is ejected passed its checks
  }

  /** A failed connect needs no second witness: with a load balancer of ours the next request would be one. */
  #probe(...[target, check, done, keeper]: Parameters<StartProbe>): ReturnType<StartProbe> {
    return this.#options.startProbe(
      target,
      check,
      (result) => {
        done(result);
        if (result.passed) return;
        if (isUnreachable(result.cause)) this.#cannotBeReached(target, result.cause);
        else if (result.cause.startsWith('timeout')) this.#knock(target, check);
      },
      keeper,
    );
  }

  /** After a timeout: is the app slow, or the host gone? */
  #knock(target: ProbeTarget, check: HealthCheck): void {
    if (check.type === 'tcp') return; // it has just been tried
    const timeout = Math.min(check.timeout, CONNECT_MS);
    this.#options.startProbe(target, { ...check, type: 'tcp', timeout }, ({ passed, cause }) => {
      if (!passed) this.#cannotBeReached(target, isUnreachable(cause) ? cause : `connect ${cause}`);
    });
  }

  #cannotBeReached(target: ProbeTarget, cause: string): void {
    const id = this.#ids.get(target);
    if (id !== undefined) this.#monitor.reportFailure(id, cause);
  }

  #heard(change: HealthChange): void {
    this.#causes.set(change.id, change.cause);
    this.#options.onHealth(change);
    this.#options.onChange();
  }
}
