import type { AlertBook } from '../../pkg/alerts/book.ts';
import type { AlertStore } from '../../pkg/alerts/store.ts';
import type { Deployment, DeploymentStep } from '../model/deployment.ts';
import { hasCode } from '../model/errors.ts';
import type { EventCount, EventCountQuery, HeimdallEvent, StoredEvent } from '../model/event.ts';
import type { Health, HealthRecord } from '../model/health.ts';
import type { Instance, Usage } from '../model/instance.ts';
import type { EjectionRecord } from '../model/ejection.ts';
import type { NodeNote, NodeRecord } from '../model/node.ts';
import type { Release } from '../model/release.ts';
import type { ServiceState } from '../model/service-state.ts';
import type { Announcements } from './announcements.ts';
import type { RequestKeys } from './request-keys.ts';
import type { TrafficSample } from '../model/traffic-sample.ts';

/** One consistent picture of the desired state. */
export interface Snapshot {
  /** Made with the registry; another id means another registry, whose revisions cannot be compared. */
  readonly registryId: string;
  /** Grows by one with every committed change of desired state. */
  readonly revision: number;
  readonly services: readonly ServiceState[];
  readonly instances: readonly Instance[];
  /** Nodes that are away, if there are any and a manager is there that tells people so. */
  readonly away?: readonly string[];
}

/** A load balancer as the manager sees it. */
export interface ProxyRecord {
  readonly id: string;
  readonly pid: number;
  /** Its machine, where there are several. */
  readonly node?: string | null;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Epoch milliseconds of its last report. */
  readonly heartbeatAt: number;
  /** Every change up to this revision is in force in this load balancer; null before its first picture. */
  readonly appliedRevision: number | null;
  /** In-flight requests per draining instance. */
  readonly inFlight: ReadonlyMap<string, number>;
}

/** What one load balancer tells of the requests on one instance. */
export interface TrafficRecord {
  readonly instanceId: string;
  /** Of the process that the numbers are of. */
  readonly incarnation: string;
  /** That ended, since the load balancer knows the process. */
  readonly requests: number;
  /** How many of them counted against the instance. */
  readonly failures: number;
  readonly inFlight: number;
}

/** What one load balancer tells of the requests to one service. */
export interface DemandRecord {
  readonly service: string;
  /** Because there is no instance, all are full, or the service is paused. */
  readonly waiting: number;
  /** That came, since the load balancer started; null: it cannot tell, nor what is in flight. */
  readonly requests: number | null;
}

/** What a living load balancer has told last. */
export interface ProxyTraffic {
  readonly proxyId: string;
  readonly instances: readonly TrafficRecord[];
  readonly services: readonly DemandRecord[];
}

/** The latency average that a load balancer had of an instance. */
export interface LatencyRecord {
  readonly instanceId: string;
  readonly incarnation: string;
  /** Milliseconds. */
  readonly cost: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface ManagerRecord {
  readonly pid: number;
  readonly startedAt: number;
  /** Epoch milliseconds. */
  readonly heartbeatAt: number;
}

export interface RegistryListener {
  /** Called with the first picture and within 100 ms of every commit that changed the revision; again after a failure. */
  changed(snapshot: Snapshot): void;
  /** Called once when the registry cannot be read any more: locked, gone, replaced by garbage. The last picture stays valid. */
  failed(error: Error): void;
}

/** How old a heartbeat may be before its process counts as gone, in milliseconds. */
export const HEARTBEAT_LIMIT_MS = 5_000;

/** Whether the process behind a heartbeat counts as running. @param now - epoch milliseconds. */
export function isAlive({ heartbeatAt }: { readonly heartbeatAt: number }, now: number): boolean {
  return now - heartbeatAt <= HEARTBEAT_LIMIT_MS;
}

/** Whether the store cannot be used at present: out of reach, or damaged until somebody mends it. Trying again later may help. */
export function isRegistryAway(error: unknown): boolean {
  return hasCode(error, 'REGISTRY_UNAVAILABLE') || hasCode(error, 'REGISTRY_BROKEN');
}

export interface EventQuery {
  readonly limit: number;
  readonly service?: string | undefined;
  /** Epoch milliseconds. */
  readonly since?: number | undefined;
  /** How their type begins. */
  readonly type?: string | undefined;
  /** The `actor` of their data. */
  readonly actor?: string | undefined;
}

/**
 * Every promise rejects with a `HeimdallError` when the store cannot be used: `REGISTRY_UNAVAILABLE` when it cannot be
 * reached, `REGISTRY_BROKEN` when it is damaged.
 */
export interface RegistryReader {
  snapshot(): Promise<Snapshot>;
  /** Returns at once; ends with the signal. Never throws: what goes wrong reaches `listener.failed`, and reading is tried again. */
  watch(listener: RegistryListener, signal: AbortSignal): void;
  /** @param only - leaves out those of any other health. */
  health(only?: Health): Promise<HealthRecord[]>;
  /** Of those that are alive, the one that has been there for the longest comes first. */
  proxies(): Promise<ProxyRecord[]>;
  /** Null when no manager is running, or its heartbeat is older than `HEARTBEAT_LIMIT_MS`. */
  manager(): Promise<ManagerRecord | null>;
  /** Newest first. */
  events(query: EventQuery): Promise<StoredEvent[]>;
  close(): Promise<void>;
}

/** What a new row needs; id, port and lifecycle `starting` are given by the registry. */
export type InstanceDraft = Pick<
  Instance,
  'service' | 'host' | 'node' | 'weight' | 'version' | 'variant' | 'deployment' | 'env'
>;

/** What the manager changes of a service. */
export type ServiceChange = Partial<Omit<ServiceState, 'service' | 'deploying'>>;

export interface DeploymentDraft {
  readonly service: string;
  readonly kind: Deployment['kind'];
  /** Its `deployment` will be the new one's id. */
  readonly release: Release;
  readonly by: string;
  /** Whether it waits for its turn when another one is under way. */
  readonly queue: boolean;
  /** The nodes that it goes through, in turn, and those that it leaves out; default: this one alone. Where there is one only, it is that. */
  readonly parts?: readonly DeploymentPartDraft[];
}

/** What a deployment is on one node. */
export interface DeploymentPartDraft {
  readonly node: string;
  readonly release: Release;
  /** Why nothing is changed there; null: something is. */
  readonly skipped: string | null;
}

/** What one node runs of a service. */
export interface NodeRelease {
  readonly node: string;
  readonly release: Release;
}

export type DeploymentChange = Partial<Pick<Deployment, 'state' | 'previous' | 'startedAt' | 'finishedAt' | 'reason'>>;

export interface DeploymentQuery {
  readonly limit: number;
  readonly service?: string | undefined;
  readonly active?: boolean;
}

export interface InstanceChange {
  readonly lifecycle?: Instance['lifecycle'];
  readonly port?: number;
  readonly weight?: number;
  readonly process?: Instance['process'];
  readonly startedAt?: number | null;
  readonly restarts?: number;
  readonly lastError?: string | null;
  /** Added to the desired count of the instance's service in the same transaction. */
  readonly desiredDelta?: number;
}

/**
 * A manager's side: the only writer of the desired state of its node. One manager per node, and one node per registry where
 * the driver is not made for several; a second one is refused when opening.
 */
export interface RegistryWriter extends RegistryReader {
  /**
   * What is this manager's to see to: its node's instances, and the services as far as they concern its node (`desired`,
   * `release`, `deploying` and the like are the node's own; what was set by hand, and pauses, hold on all nodes).
   * `snapshot` in contrast shows all nodes: instances that are there, and sums of what is desired.
   */
  own(): Promise<Snapshot>;
  /** Whether managers of other nodes can have the registry, too. */
  readonly isShared: boolean;
  /** All that there are, or were; by name. */
  nodes(): Promise<NodeRecord[]>;
  /**
   * Takes away what is kept of a node that is gone for good, its instances included, which are returned.
   * @throws {HeimdallError} NODE_NOT_FOUND; NODE_PRESENT while its manager gives signs of life.
   */
  forgetNode(name: string): Promise<readonly Instance[]>;
  /** What instances of other nodes use, by id, as their managers told last. */
  usage(): Promise<ReadonlyMap<string, Usage>>;
  /** Whether this one speaks for all managers: of those alive one does at a time. */
  leads(): Promise<boolean>;
  /**
   * Inserts one `starting` row per draft, all or none, each on the first of `ports` that no row holds on that host.
   * The ports are taken from then on: nothing is spawned before its port is reserved.
   * @param desiredDelta - added to the desired count of the drafts' service in the same transaction.
   * @throws {HeimdallError} NO_FREE_PORT with `context.ports`, when `ports` does not suffice.
   */
  reserve(drafts: readonly InstanceDraft[], ports: readonly number[], desiredDelta: number): Promise<Instance[]>;
  /**
   * Changes one row; returns it with the revision of the change.
   * @throws {HeimdallError} INSTANCE_NOT_FOUND; LIFECYCLE_CONFLICT when the lifecycle table forbids the step; PORT_TAKEN.
   */
  update(id: string, change: InstanceChange): Promise<{ readonly instance: Instance; readonly revision: number }>;
  /** Deletes a row; unknown ids are no error. */
  remove(id: string, desiredDelta?: number): Promise<void>;
  /**
   * Changes what is kept of a service; one that is new begins with the first release and nothing desired.
   * @returns the revision in which the change is in force.
   */
  changeService(service: string, change: ServiceChange): Promise<number>;
  /**
   * Changes what is kept of a service as its present state says, with nothing in between.
   * @param revise - of the present state; may be asked again, of a later one. What it throws changes nothing.
   */
  reviseService(
    service: string,
    revise: (present: ServiceState) => ServiceChange,
  ): Promise<{ readonly before: ServiceState; readonly after: ServiceState; readonly revision: number }>;
  /** Forgets the desired count of a service that is not configured any more. */
  forgetService(service: string): Promise<void>;
  /**
   * Makes all parts of a deployment in one commit.
   * @returns the first part of the new deployment, `queued`.
   * @throws {HeimdallError} DEPLOYMENT_RUNNING when another one of the service is not over there and `queue` is not set.
   */
  createDeployment(draft: DeploymentDraft): Promise<Deployment>;
  /**
   * Changes this node's part of a deployment, and what is kept of its service, in one commit; raises the revision. One that is over
   * stays as it is.
   * @throws {HeimdallError} DEPLOYMENT_NOT_FOUND.
   */
  changeDeployment(id: number, change: DeploymentChange, service?: ServiceChange): Promise<Deployment>;
  /**
   * Skips the parts of a deployment that wait, on whichever node, and has the managers of those that are under way find out.
   * @param node - only the part of this one.
   * @throws {HeimdallError} DEPLOYMENT_NOT_FOUND.
   */
  giveUpDeployment(id: number, reason: string, node?: string): Promise<void>;
  /** Does not change the revision, nor do the following. */
  recordStep(step: Omit<DeploymentStep, 'id' | 'node'>): Promise<DeploymentStep>;
  recordEvent(event: HeimdallEvent): Promise<void>;
  /** Of each service that had any. */
  countEvents(query: EventCountQuery): Promise<EventCount[]>;
  /** Of living load balancers. */
  traffic(): Promise<ProxyTraffic[]>;
  /** What happened lately, as far as it was kept, oldest first. @param since - only what ended after it; epoch milliseconds. */
  samples(since: number): Promise<TrafficSample[]>;
  /** Until then somebody watches what happens; epoch milliseconds. */
  noteWatched(until: number): Promise<void>;
  /** This node's parts, newest first. @param query.active - only those that are under way, or wait for their turn. */
  deployments(query: DeploymentQuery): Promise<Deployment[]>;
  /** This node's part. @throws {HeimdallError} DEPLOYMENT_NOT_FOUND. */
  deployment(id: number): Promise<Deployment>;
  /** The parts of the deployments of all nodes, newest first. @param query.active - only of those that have a part that is not over. */
  allDeployments(query: DeploymentQuery): Promise<Deployment[][]>;
  /** All parts of one. @throws {HeimdallError} DEPLOYMENT_NOT_FOUND. */
  deploymentParts(id: number): Promise<Deployment[]>;
  /** What the nodes run of a service; those that keep nothing of it run the first release. */
  releases(service: string): Promise<NodeRelease[]>;
  /** Of one deployment, oldest first. @param after - only those with a greater id. */
  deploymentSteps(deployment: number, after: number): Promise<DeploymentStep[]>;
  /** Deletes events older than `before` (epoch milliseconds), and returns how many; steps of deployments that are over, too. */
  pruneEvents(before: number): Promise<number>;
  /**
   * @param note - what its node is like; without it: as before.
   * @param usage - what its instances use, by id: for the others.
   */
  heartbeat(note?: NodeNote, usage?: ReadonlyMap<string, Usage>): Promise<void>;
  readonly announcements: Announcements;
  /** What managers before this one have left is taken over by it. */
  readonly alerts: AlertStore;
  /** Of requests that must not be carried out twice. */
  readonly requestKeys: RequestKeys;
  /** Of the alerts of all processes. Its promises reject with ALERT_NOT_FOUND, SILENCE_NOT_FOUND and CHANNEL_NOT_FOUND, too. */
  readonly alertBook: AlertBook;
}

export interface ProxyReport {
  /** The revision that is in force; null before the first picture. */
  readonly appliedRevision: number | null;
  /** Of draining instances; the others are not listed. */
  readonly inFlight: ReadonlyMap<string, number>;
  /** Of the instances whose numbers the manager needs: see `ServiceState.deploying` and the `autoscale` of a service. */
  readonly traffic?: readonly TrafficRecord[];
  readonly demand?: readonly DemandRecord[];
}

/** The load balancer's side. Nothing in it changes the revision. */
export interface ProxyRegistry extends RegistryReader {
  readonly proxyId: string;
  /** What load balancers have left that withdrew, or whose heartbeat is too old, is taken over by whichever asks first. */
  readonly alerts: AlertStore;
  /** Heartbeat, applied revision and in-flight counts in one transaction: `applied ≥ N` never shows without its counts. */
  report(report: ProxyReport): Promise<void>;
  saveHealth(records: readonly HealthRecord[]): Promise<void>;
  latencies(): Promise<LatencyRecord[]>;
  saveLatencies(records: readonly LatencyRecord[]): Promise<void>;
  /** Those that are not long over. */
  ejections(): Promise<EjectionRecord[]>;
  /** @param over - ids of instances that are ejected no more. */
  saveEjections(records: readonly EjectionRecord[], over: readonly string[]): Promise<void>;
  /** Best effort: a store may keep fewer samples than `SAMPLES_KEPT_MS` asks for, or none. */
  saveSample(sample: TrafficSample): Promise<void>;
  /** Until when somebody watches what happens, see `noteWatched`; epoch milliseconds. */
  watchedUntil(): Promise<number>;
  /** Has this load balancer count as the youngest from its next report on: the others speak for all now. */
  stepBack(): void;
  /** Removes this load balancer's rows: it serves nobody any more. */
  withdraw(): Promise<void>;
}
