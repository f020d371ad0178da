import type { Autoscale } from '../model/rollout.ts';
import type { Service } from '../model/service.ts';
import type { ServiceState } from '../model/service-state.ts';
import type { ProxyTraffic, ServiceChange, Snapshot } from '../registry/registry.ts';
import type { Fleet } from './fleet.ts';
import type { Operations } from './operations.ts';
import type { Reconciler } from './reconciler.ts';
import { inSeconds } from './running-process.ts';
import { type Load, ScaleDecider } from './scale-decision.ts';
import type { SupervisorContext } from './supervisor-context.ts';
import type { Vitals } from './vitals.ts';

interface AutoscalerOptions {
  readonly context: SupervisorContext;
  readonly fleet: Fleet;
  /** The services as they are configured now. */
  readonly services: () => readonly Service[];
  readonly operations: Operations;
  readonly reconciler: Reconciler;
  readonly vitals: Vitals;
  /** Whether of the nodes that can start an instance of the service this is the one to do so. */
  readonly isFirst: (service: string) => Promise<boolean>;
  /** How many nodes there are that can. */
  readonly sharers: (service: string) => Promise<number>;
}

/** What a service was seen to do. */
interface Activity {
  /** Requests that came, at all load balancers together. */
  readonly requests: number;
  /** When that number last changed, in epoch milliseconds. */
  readonly since: number;
}

/**
 * Lets the number of instances follow the load, the calendar, and the want of any requests at all. While something else
 * changes the instances of a service, such as a deployment, it decides nothing.
 */
export class Autoscaler {
  readonly #options: AutoscalerOptions;
  readonly #deciders = new Map<string, ScaleDecider>();
  readonly #activities = new Map<string, Activity>();

  constructor(options: AutoscalerOptions) {
    this.#options = options;
  }

  /** Whether any service may have no instance, and need one at any moment. */
  get mayWake(): boolean {
    return this.#options.services().some(({ scaleFromZero }) => scaleFromZero);
  }

  /** To be called every second. @throws {HeimdallError} REGISTRY_UNAVAILABLE. */
  async look(): Promise<void> {
    const { services, context } = this.#options;
    const scaled = services().filter(({ autoscale, idleAfter }) => autoscale !== null || idleAfter !== null);
    for (const name of this.#deciders.keys())
      if (!scaled.some((each) => each.name === name)) this.#deciders.delete(name);
    if (scaled.length === 0) return;
    const [{ services: states }, traffic] = await Promise.all([context.registry.own(), context.registry.traffic()]);
    for (const service of scaled) {
      const state = states.find((each) => each.service === service.name);
      // While it is paused, what waits says nothing about what it needs.
      if (state === undefined || state.deploying !== null || state.pausedSince !== null) continue;
      if (this.#options.operations.isBusy(service.name)) continue;
      const load = this.#loadOf(service.name, traffic, await this.#options.sharers(service.name));
      if (!(await this.#sleep(service, state, load, traffic))) await this.#scale(service, state, load);
    }
  }

  /** Gives a service that has no instance one when a request waits for it; to be called often. @throws {HeimdallError} REGISTRY_UNAVAILABLE. */
  async wake(): Promise<void> {
    const { services, context } = this.#options;
    const traffic = await context.registry.traffic();
    const wanted = services().filter(({ name, scaleFromZero }) => scaleFromZero && waitingFor(name, traffic) > 0);
    if (wanted.length === 0) return;
    const [own, all] = await Promise.all([context.registry.own(), context.registry.snapshot()]);
    for (const { name, autoscale } of wanted) {
      const isAsleep = ({ services: states }: Snapshot) =>
        states.find(({ service }) => service === name)?.desired === 0;
      if (!isAsleep(own) || !isAsleep(all) || !(await this.#options.isFirst(name))) continue;
      this.#activities.delete(name);
      await this.#change(name, { desired: Math.max(1, autoscale?.min ?? 1) }, 0, 'a request waits for it');
    }
  }

  /** The calendar asks for so many instances, from now on. @throws {HeimdallError} REGISTRY_UNAVAILABLE. */
  async scheduled(name: string, instances: number): Promise<void> {
    const { context, services } = this.#options;
    const autoscale = services().find((service) => service.name === name)?.autoscale;
    const { services: states } = await context.registry.own();
    const state = states.find((each) => each.service === name);
    if (!autoscale || !state || state.scheduled === instances) return;
    const wanted = Math.min(autoscale.max, Math.max(autoscale.min, instances));
    const desired = followsLoad(autoscale) ? Math.max(state.desired, wanted) : wanted;
    await this.#change(name, { scheduled: instances, desired }, state.desired, 'the calendar asks for it');
  }

  async #scale({ name, autoscale }: Service, state: ServiceState, load: Load): Promise<void> {
    if (autoscale === null || (state.desired === 0 && autoscale.min === 0)) return; // woken when it is needed
    const decider = this.#deciders.get(name) ?? new ScaleDecider();
    this.#deciders.set(name, decider);
    const settings = followsLoad(autoscale) ? autoscale : { ...autoscale, scaleDownAfter: Number.POSITIVE_INFINITY };
    const scheduled = autoscale.schedule.length > 0 ? state.scheduled : null; // what is kept may be of an older configuration
    const decision = decider.decide(load, state.desired, scheduled, settings);
    if (decision) await this.#change(name, { desired: decision.instances }, state.desired, decision.reason);
  }

  /** Takes all instances away when nobody has asked for them for long. @returns whether it did. */
  async #sleep(
    { name, idleAfter }: Service,
    state: ServiceState,
    { at: now, inFlight, isPartial }: Load,
    traffic: readonly ProxyTraffic[],
  ): Promise<boolean> {
    if (idleAfter === null || isPartial || traffic.length === 0) return false; // nobody can tell
    const requests = demandOf(name, traffic).reduce((sum, demand) => sum + (demand.requests ?? 0), 0);
    const before = this.#activities.get(name);
    if (before === undefined || before.requests !== requests || inFlight > 0) {
      this.#activities.set(name, { requests, since: now });
      return false;
    }
    const idleMs = now - before.since;
    if (state.desired === 0 || idleMs < idleAfter) return false;
    await this.#change(name, { desired: 0 }, state.desired, `no request for ${inSeconds(idleMs)}`);
    return true;
  }

  /** @param sharers - nodes among which what waits is shared out. */
  #loadOf(name: string, traffic: readonly ProxyTraffic[], sharers: number): Load {
    const { fleet, vitals, context } = this.#options;
    const supervisors = fleet.ofService(name);
    const ids = new Set(supervisors.map(({ id }) => id));
    const own = traffic.flatMap(({ instances }) => instances.filter(({ instanceId }) => ids.has(instanceId)));
    const inFlight = own.reduce((sum, each) => sum + each.inFlight, waitingFor(name, traffic) / sharers);
    const used = supervisors.map(({ instance }) => vitals.of(instance.process?.pid)?.cpu ?? null);
    const cpu = used.some((value) => value !== null)
      ? used.reduce<number>((sum, value) => sum + (value ?? 0), 0)
      : null;
    const isPartial = demandOf(name, traffic).some(({ requests }) => requests === null);
    return { at: context.clock(), inFlight, isPartial, cpu };
  }

  async #change(name: string, change: ServiceChange, before: number, reason: string): Promise<void> {
    const { context, reconciler } = this.#options;
    await context.registry.changeService(name, change);
    if (change.desired === before) return;
    const message = `${name} is scaled from ${before} to ${change.desired} instances: ${reason}`;
    context.journal.record('service.scaled', { id: null, service: name }, message, { before, reason });
    await reconciler.run();
  }
}

/** Whether more than the calendar decides about the number. */
function followsLoad({ inFlightPerInstance, cpu }: Autoscale): boolean {
  return inFlightPerInstance !== undefined || cpu !== undefined;
}

function demandOf(name: string, traffic: readonly ProxyTraffic[]) {
  return traffic.flatMap(({ services }) => services.filter(({ service }) => service === name));
}

function waitingFor(name: string, traffic: readonly ProxyTraffic[]): number {
  return demandOf(name, traffic).reduce((sum, { waiting }) => sum + waiting, 0);
}
