import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AlertSink } from '../../pkg/alerts/alert.ts';
import { systemClock } from '../../pkg/clock/clock.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { messageOf } from '../model/errors.ts';
import type { StoredEvent } from '../model/event.ts';
import { declaredInstances, type Instance, viewOf } from '../model/instance.ts';
import type { Status } from '../model/lifecycle.ts';
import { type Service, ServiceSchema } from '../model/service.ts';
import type { InstanceView } from '../model/instance-view.ts';
import { type InstanceSettings, settingsOfInstance } from '../model/settings.ts';
import type { ManagerStatus } from '../model/manager-status.ts';
import type { NodeNote } from '../model/node.ts';
import type { EventQuery, InstanceDraft, RegistryWriter } from '../registry/registry.ts';
import type { RequestKeys } from '../registry/request-keys.ts';
import { Absences } from './absences.ts';
import { type AddRequest, addInstances } from './add.ts';
import { adoptProcess } from './adoption.ts';
import { AnnouncedInstances } from './announced/announced-instances.ts';
import { Autoscaler } from './autoscaler.ts';
import { Deployer } from './deployer.ts';
import { draftOf, type Place } from './draft.ts';
import { EjectionJournal } from './ejection-journal.ts';
import type { EventCounts } from './event-counts.ts';
import { Fleet } from './fleet.ts';
import { ExitWatch } from './exit-watch.ts';
import { InstanceControl } from './instance-control.ts';
import { InstanceLogs, type LogQuery } from './instance-logs.ts';
import { instanceNamed, notSpawned, supervisorNamed } from './instance-named.ts';
import { type AuditRecord, Journal } from './journal.ts';
import { DEFAULT_LOG_LIMITS, type LogLimits, LogRotation } from './log-rotation.ts';
import { hasOutput, outputPaths } from './log-tail.ts';
import type { Environment } from './launch-plan.ts';
import { LiveFeed } from './live/live-feed.ts';
import { LiveReader } from './live/live-reader.ts';
import { LiveTraffic } from './live/live-traffic.ts';
import { UsageHistory } from './live/usage-history.ts';
import { nodeNote } from './node-note.ts';
import { Nodes } from './nodes.ts';
import { Operations } from './operations.ts';
import { PeerWatch, type Speaking } from './peer-watch.ts';
import { PortAllocator, type PortRange } from './ports.ts';
import { Pulse } from './pulse.ts';
import { Reconciler } from './reconciler.ts';
import { Replacer } from './replacer.ts';
import { DEFAULT_RESTART_POLICY, type RestartPolicy } from './restart-policy.ts';
import { ServiceControl } from './service-control.ts';
import type { Supervisor } from './supervisor.ts';
import { type SupervisorContext, shuttingDown } from './supervisor-context.ts';
import { type Terms, UNCONDITIONAL } from './terms.ts';
import { Usages } from './usages.ts';
import { loadBalancerStatusOf, serviceStatusOf, viewsOf } from './views.ts';
import { Vitals } from './vitals.ts';

export type { AddRequest } from './add.ts';

export interface Settings {
  readonly services: readonly Service[];
  readonly ports: PortRange;
  /** Of the instances' output. */
  readonly logLimits?: LogLimits;
}

export interface ServerManagerOptions extends Settings {
  /** Stays open when the manager stops: whoever opened it closes it. */
  readonly registry: RegistryWriter;
  /** Where spawned instances are reached; default: 127.0.0.1. */
  readonly host?: string;
  /** The name of this one among several machines; default: none. */
  readonly node?: string;
  /** Where the managers of other nodes reach this one now; default: nowhere. */
  readonly url?: () => string | null;
  /** Takes the output of the instances, under `logs`. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Takes what concerns this node. */
  readonly alerts: AlertSink;
  /** Takes what every manager sees alike, of whom one speaks; default: the same. */
  readonly jointAlerts?: AlertSink;
  readonly speaking?: Speaking;
  /** The manager's own environment; instances get its PATH, HOME and LANG. */
  readonly baseEnv: Environment;
  /** Of heimdall, for the status. */
  readonly version: string;
  /** Epoch milliseconds; default: the system's clock. */
  readonly clock?: () => number;
  /** In [0, 1); default: `Math.random`. */
  readonly random?: () => number;
  readonly restart?: RestartPolicy;
}

/** Between two looks whether a request waits for a service without instances. */
const WAKE_MS = 50;
/** Between two looks whether any service may be without instances by now. */
const NOBODY_SLEEPS_MS = 1_000;
/** Who changes what is changed in the configuration file. */
const BY_FILE = { actor: 'config file' };
/** Deployments that are not over: more than anybody lets wait. */
const ALL = 10_000;

/** The control plane: the only writer of desired state, and the keeper of the instances that heimdall spawns. */
export class ServerManager {
  readonly services: ServiceControl;
  readonly live: LiveFeed;
  readonly nodes: Nodes;
  readonly instances: InstanceControl;
  readonly announced: AnnouncedInstances;
  readonly #options: ServerManagerOptions;
  readonly #place: Place;
  readonly #context: SupervisorContext;
  readonly #fleet: Fleet;
  readonly #operations = new Operations();
  readonly #absences = new Absences();
  readonly #deployer: Deployer;
  readonly #reconciler: Reconciler;
  readonly #vitals = new Vitals();
  readonly #usages: Usages;
  readonly #usage = new UsageHistory();
  readonly #exits = new ExitWatch(systemClock);
  readonly #replacer: Replacer;
  readonly #autoscaler: Autoscaler;
  readonly #peers: PeerWatch;
  readonly #pulse: Pulse;
  readonly #logs: LogRotation;
  readonly #startedAt: number;
  readonly #stopping = new AbortController();
  readonly #adds = new Set<Promise<unknown>>();
  #services: readonly Service[];
  #started: Promise<void> = Promise.resolve();
  #beating: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | null = null;

  constructor(options: ServerManagerOptions) {
    const { registry, log, alerts, baseEnv, clock = Date.now, random = Math.random } = options;
    const place: Place = { node: options.node ?? null, host: options.host ?? '127.0.0.1' };
    this.#options = options;
    this.#place = place;
    this.#services = options.services;
    this.#startedAt = clock();
    this.#context = {
      registry,
      ports: new PortAllocator({ registry, range: options.ports, clock }),
      journal: new Journal(registry, log, clock),
      alerts,
      log,
      clock,
      random,
      restart: options.restart ?? DEFAULT_RESTART_POLICY,
      logDir: join(options.dataDir, 'logs'),
      baseEnv,
      stopping: this.#stopping.signal,
    };
    this.#fleet = new Fleet(this.#context);
    this.#usages = new Usages({ registry, fleet: this.#fleet, vitals: this.#vitals });
    const parts = {
      context: this.#context,
      fleet: this.#fleet,
      place,
      services: () => this.#services,
      operations: this.#operations,
      absences: this.#absences,
    };
    this.nodes = new Nodes({ ...parts, self: place.node });
    this.#deployer = new Deployer(parts);
    const releaseOf: Deployer['releaseOf'] = (service, inForce) => this.#deployer.releaseOf(service, inForce);
    this.#reconciler = new Reconciler({ ...parts, releaseOf });
    const controls = {
      ...parts,
      reconciler: this.#reconciler,
      usages: this.#usages,
      ready: () => this.#ready(),
    };
    this.services = new ServiceControl({ ...controls, deployer: this.#deployer, nodes: this.nodes });
    this.instances = new InstanceControl(controls);
    this.announced = new AnnouncedInstances(controls);
    this.live = this.#liveFeed();
    this.#logs = new LogRotation(this.#context.logDir, options.logLimits ?? DEFAULT_LOG_LIMITS, log);
    this.#autoscaler = new Autoscaler({
      ...parts,
      reconciler: this.#reconciler,
      vitals: this.#vitals,
      isFirst: (service) => this.nodes.isFirst(service),
      sharers: async (service) => Math.max(1, (await this.nodes.capable(service)).length),
    });
    this.#replacer = new Replacer({ ...parts, vitals: this.#vitals });
    this.#peers = this.#peerWatch();
    this.#pulse = this.#newPulse();
  }

  /** Whether this manager speaks for all. */
  get leads(): boolean {
    return this.#peers.leads;
  }

  /**
   * Takes over what an earlier manager left: living instances are adopted, dead ones started again, half-finished removals
   * completed; then makes the counts what they should be. Resolves before new instances are ready. What is asked of the
   * manager about instances meanwhile waits for it, and fails with it.
   * @throws {HeimdallError} REGISTRY_UNAVAILABLE.
   */
  start(): Promise<void> {
    this.#started = this.#start();
    return this.#started;
  }

  /** Resolves when no instance is being started any more, whether it got ready or not. */
  settled(): Promise<void> {
    return this.#fleet.settled();
  }

  /** Live configuration: what it changes about counts comes about in the background; running instances keep their command. */
  async apply({ services, ports, logLimits }: Settings): Promise<void> {
    await this.#ready();
    this.#services = services;
    this.#context.ports.use(ports);
    if (logLimits !== undefined) this.#logs.use(logLimits);
    this.#fleet.configure(services);
    this.#context.journal.record('config.applied', null, 'the changed configuration is in force', BY_FILE);
    await this.#reconciler.run().catch((error: unknown) => {
      this.#context.log.warn({ reason: messageOf(error) }, 'the counts follow as soon as the registry can be reached');
    });
  }

  /**
   * Adds instances, all or none.
   * @throws {HeimdallError} what is wrong with the request, NO_FREE_PORT, or, with `wait`, why one of them did not get ready:
   * then none of them remains.
   */
  async add(request: AddRequest): Promise<Instance[]> {
    await this.#ready();
    const newDraft = (service: string) => this.#newDraft(service);
    const adding = addInstances(request, this.#services, this.#fleet, this.#context, newDraft);
    this.#adds.add(adding);
    return adding.finally(() => this.#adds.delete(adding));
  }

  /** The instances of the registry and those declared under `servers`, ordered by service, host and port. */
  async list(query: { readonly service?: string; readonly status?: Status } = {}): Promise<InstanceView[]> {
    const { registry } = this.#context;
    await this.#started;
    const [{ instances }, health, usageOf] = await Promise.all([
      registry.snapshot(),
      registry.health(),
      this.#usages.reader(),
    ]);
    return viewsOf([...instances, ...this.#declared()], health, usageOf).filter(
      ({ service, status }) =>
        (query.service === undefined || query.service === service) &&
        (query.status === undefined || query.status === status),
    );
  }

  /**
   * The output of an instance that heimdall spawned, by its id or its port, or by the id of one that is no more, as long as it is
   * kept; `gone` is aborted when the instance is, or the manager stops.
   * @throws {HeimdallError} INSTANCE_NOT_FOUND; NOT_SPAWNED for a declared or announced one.
   */
  async logs(name: string, query: LogQuery): Promise<{ readonly logs: InstanceLogs; readonly gone: AbortSignal }> {
    await this.#started;
    const { logDir } = this.#context;
    if (this.#fleet.get(name) === undefined && (await hasOutput(logDir, name))) {
      return { logs: new InstanceLogs(logDir, name, query), gone: AbortSignal.abort() };
    }
    const { id, removed } = await supervisorNamed(name, this.#known(), 'its output is kept where it runs');
    return { logs: new InstanceLogs(logDir, id, query), gone: AbortSignal.any([removed, this.#stopping.signal]) };
  }

  /**
   * The acknowledged drain (see `Supervisor.remove`); calls for one instance join. One that an agent announced goes on where
   * it runs: its agent is told, and keeps it out.
   * @param name - its id or port.
   * @throws {HeimdallError} INSTANCE_NOT_FOUND, also when several have the port; NOT_SPAWNED for a declared one;
   * REGISTRY_UNAVAILABLE.
   */
  async remove(
    name: string | number,
    { force }: { readonly force: boolean },
    terms: Pick<Terms<InstanceSettings>, 'permit'> = UNCONDITIONAL,
  ): Promise<InstanceView> {
    await this.#ready();
    const named = await instanceNamed(String(name), this.#known());
    if (named.kind === 'spawned') {
      const { supervisor } = named;
      terms.permit(settingsOfInstance(viewOf(supervisor.instance, 'unknown')));
      const options = { force, desiredDelta: -1, evenUnmarked: false };
      const isBusy = this.#operations.isBusy(supervisor.instance.service);
      const removed = await this.#fleet.retire(supervisor, options);
      if (isBusy) this.#reconciler.demand(); // its successor may have been started already
      return viewOf(removed, 'unknown');
    }
    const { instance, kind } = named;
    if (kind === 'declared') {
      const hint = `take it out of "servers" of service ${instance.service} in the configuration`;
      throw notSpawned(instance.id, hint);
    }
    terms.permit(settingsOfInstance(viewOf(instance, 'unknown')));
    await this.announced.retire(instance, { force, tell: true });
    return viewOf({ ...instance, lifecycle: 'stopped' }, 'unknown');
  }

  async status(): Promise<ManagerStatus> {
    const { registry, clock } = this.#context;
    const [snapshot, proxies, nodes] = await Promise.all([registry.snapshot(), registry.proxies(), this.nodes.list()]);
    const now = clock();
    return {
      status: 'ok',
      version: this.#options.version,
      pid: process.pid,
      startedAt: new Date(this.#startedAt).toISOString(),
      uptimeMs: now - this.#startedAt,
      registry: { revision: snapshot.revision },
      services: this.#services.map((service) => serviceStatusOf(service, snapshot)),
      loadBalancers: proxies.map((proxy) => loadBalancerStatusOf(proxy, now)),
      nodes,
    };
  }

  /** Keeps what somebody did; resolves when it is kept, or only logged because it cannot be. */
  async audit({ subject, message, data }: AuditRecord): Promise<void> {
    this.#context.journal.record('audit', subject, message, data);
    await this.#context.journal.settled();
  }

  /** Of requests that must not be carried out twice. */
  get requestKeys(): RequestKeys {
    return this.#context.registry.requestKeys;
  }

  /** What has happened to services since the start. */
  get eventCounts(): EventCounts {
    return this.#context.journal.counts;
  }

  /** The calendar asks for so many instances of the service, from now on. */
  async scheduled(service: string, instances: number): Promise<void> {
    await this.#ready();
    await this.#autoscaler.scheduled(service, instances);
  }

  /** Newest first. */
  events(query: EventQuery): Promise<StoredEvent[]> {
    return this.#context.registry.events(query);
  }

  /**
   * Ends the manager. Adds under way are undone.
   * @param options.keep - leave the instances running for the next manager; otherwise all are drained and stopped, and their
   * rows removed. The desired counts stay either way.
   */
  stop(options: { readonly keep: boolean }): Promise<void> {
    this.#stopped ??= this.#stop(options.keep);
    return this.#stopped;
  }

  async #start(): Promise<void> {
    const { registry, journal, logDir, clock } = this.#context;
    await mkdir(logDir, { recursive: true });
    const { instances } = await registry.own();
    await this.#peers.begin();
    journal.record('manager.started', null, `manager started (pid ${process.pid})`);
    await Promise.all(
      instances.map(async (instance) => {
        const living = await adoptProcess(instance, logDir, clock, this.#exits);
        const supervisor = this.#fleet.take(instance, this.#serviceOf(instance));
        if (living) supervisor.adopt(living);
        else if (instance.lifecycle !== 'draining') supervisor.revive();
        if (instance.lifecycle === 'draining') this.#finishRemoval(supervisor);
      }),
    );
    await this.#deployer.resume(await registry.deployments({ limit: ALL, active: true }));
    await this.#reconciler.run();
    this.#beating = Promise.all([this.#pulse.beat(), this.#wakeServices()]).then(() => {});
  }

  async #stop(keep: boolean): Promise<void> {
    this.#stopping.abort(shuttingDown());
    await this.live.stop();
    await this.#started.catch(() => {}); // whoever called `start` hears of it
    await this.#beating;
    await Promise.allSettled(this.#adds);
    await this.#reconciler.settled();
    await this.#operations.settled();
    await (keep ? this.#fleet.releaseAll() : this.#fleet.stopAll());
    if (!keep) await this.#tellEmpty();
    this.#context.journal.record('manager.stopped', null, `manager stopped (pid ${process.pid})`);
    await this.#context.journal.settled();
  }

  #peerWatch(): PeerWatch {
    const { registry, clock } = this.#context;
    const { alerts, jointAlerts = alerts, speaking = { lead: () => {}, gather: () => {} } } = this.#options;
    return new PeerWatch({
      registry,
      alerts: jointAlerts,
      clock,
      startedAt: this.#startedAt,
      speaking,
      absences: this.#absences,
    });
  }

  #newPulse(): Pulse {
    const { registry, journal } = this.#context;
    const ejections = new EjectionJournal(registry, journal, () => this.leads);
    return new Pulse({
      context: this.#context,
      reconciler: this.#reconciler,
      note: () => this.#note(),
      usage: () => this.#usages.told(),
      peers: this.#peers,
      chores: [
        { name: 'log rotation', everyBeats: 5, run: () => this.#rotateLogs() },
        { name: 'vitals', everyBeats: 5, run: () => this.#readVitals() },
        { name: 'replacement', everyBeats: 1, run: () => this.#replacer.look() },
        { name: 'ejections', everyBeats: 1, run: () => ejections.look() },
        { name: 'announced instances', everyBeats: 1, run: () => this.announced.look() },
        { name: 'deployments', everyBeats: 1, run: () => this.#deployer.look() },
        { name: 'scaling', everyBeats: 1, run: () => this.#autoscaler.look() },
      ],
    });
  }

  #note(): NodeNote {
    const { version, url = () => null } = this.#options;
    const instances = this.#fleet.instances().length;
    return nodeNote({ url: url(), address: this.#place.host, version, instances }, this.#services);
  }

  #liveFeed(): LiveFeed {
    const { registry, clock, log } = this.#context;
    const reader = new LiveReader({
      registry,
      clock,
      version: this.#options.version,
      services: () => this.#services,
      declared: () => this.#declared(),
      nodes: this.nodes,
      absences: this.#absences,
      usages: this.#usages,
      drainOf: (id) => this.#fleet.get(id)?.drainSpan ?? this.announced.drainOf(id),
      traffic: new LiveTraffic({ registry, clock, usage: this.#usage }),
    });
    return new LiveFeed({ source: reader, clock: systemClock, log });
  }

  /** Looks more often than the pulse beats: somebody waits. Never rejects. */
  async #wakeServices(): Promise<void> {
    const { signal } = this.#stopping;
    const { log } = this.#context;
    while (!signal.aborted) {
      const { mayWake } = this.#autoscaler;
      if (mayWake) {
        await this.#autoscaler.wake().catch((error: unknown) => log.debug({ err: error }, 'nobody could be woken'));
      }
      await sleep(mayWake ? WAKE_MS : NOBODY_SLEEPS_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #rotateLogs(): Promise<void> {
    const { logDir } = this.#context;
    await this.#logs.run(() => new Set(this.#fleet.instances().flatMap(({ id }) => outputPaths(logDir, id))));
  }

  async #readVitals(): Promise<void> {
    const instances = this.#fleet.instances();
    await this.#vitals.look(new Set(instances.flatMap(({ process: identity }) => identity?.pid ?? [])));
    this.#usage.note(await this.#usages.all(), this.#context.clock());
    this.#replacer.readings();
  }

  /** So that nobody takes the node for one that is missed. */
  async #tellEmpty(): Promise<void> {
    const instances = this.#fleet.instances().length;
    await this.#context.registry.heartbeat({ ...this.#note(), url: null, instances }).catch(() => {});
  }

  #finishRemoval(supervisor: Supervisor): void {
    const options = { force: false, desiredDelta: 0, evenUnmarked: true };
    this.#fleet.retire(supervisor, options).catch((error: unknown) => {
      this.#context.log.warn({ instance: supervisor.id, reason: messageOf(error) }, 'the removal is not finished yet');
    });
  }

  /** For instances of a service that is not configured any more, the defaults tell how to end them. */
  #serviceOf({ service: name }: Instance): Service {
    return this.#services.find((service) => service.name === name) ?? ServiceSchema.parse({ name });
  }

  #known() {
    return { fleet: this.#fleet, services: this.#services, registry: this.#context.registry };
  }

  #declared(): Instance[] {
    return this.#services.flatMap(declaredInstances);
  }

  /** A new instance of the service. */
  async #newDraft(service: string): Promise<InstanceDraft> {
    const { services } = await this.#context.registry.own();
    const state = services.find((each) => each.service === service);
    return draftOf(service, this.#deployer.releaseOf(service, state?.release), state, this.#place);
  }

  /** Resolves when it is known what an earlier manager left. @throws {HeimdallError} SHUTTING_DOWN, or why the start failed. */
  async #ready(): Promise<void> {
    await this.#started;
    if (this.#stopping.signal.aborted) throw shuttingDown();
  }
}
