import { type Deployment, type DeploymentStep, isOver } from '../../model/deployment.ts';
import type { EventCount, EventCountQuery, HeimdallEvent } from '../../model/event.ts';
import type { Instance, Usage } from '../../model/instance.ts';
import type { NodeNote, NodeRecord } from '../../model/node.ts';
import { newServiceState, type ServiceState } from '../../model/service-state.ts';
import type { TrafficSample } from '../../model/traffic-sample.ts';
import { instanceNotFound } from '../refusals.ts';
import {
  type DeploymentChange,
  type DeploymentDraft,
  type DeploymentQuery,
  HEARTBEAT_LIMIT_MS,
  type InstanceChange,
  type InstanceDraft,
  isAlive,
  type NodeRelease,
  type ProxyTraffic,
  type RegistryWriter,
  type ServiceChange,
  type Snapshot,
} from '../registry.ts';
import { checkInstance, checkStep, randomSuffix } from '../instance-rules.ts';
import { nodeNotFound, nodePresent } from '../node-rules.ts';
import { SqliteAlertBook } from './alert-book.ts';
import { SqliteAlertStore } from './alert-store.ts';
import { SqliteAnnouncements } from './announcements.ts';
import {
  deleteSteps,
  insertDeployment,
  insertStep,
  readDeployment,
  readDeployments,
  readSteps,
  skipDeployment,
  updateDeployment,
} from './deployments.ts';
import { countEvents } from './event-counts.ts';
import type { Handle } from './handle.ts';
import { checkPort, raiseRevision, reserveInstance, updateInstance } from './instances.ts';
import type { ManagerLock } from './manager-lock.ts';
import { readInstance, readMeta, readNode, readService, readTraffic } from './queries.ts';
import { type ReaderOptions, SqliteReader } from './reader.ts';
import { SqliteRequestKeys } from './request-keys.ts';
import { readSamples, writeWatched } from './samples.ts';
import { changeService } from './services.ts';

interface WriterOptions extends ReaderOptions {
  readonly lock: ManagerLock;
  readonly pid: number;
  readonly node: string | null;
}

/** The manager's side of the SQLite registry; owns the manager lock until it is closed. */
export class SqliteWriter extends SqliteReader implements RegistryWriter {
  readonly isShared = false;
  readonly alerts: SqliteAlertStore;
  readonly alertBook: SqliteAlertBook;
  readonly requestKeys: SqliteRequestKeys;
  readonly announcements: SqliteAnnouncements;
  readonly #lock: ManagerLock;
  readonly #pid: number;
  readonly #startedAt: number;
  readonly #node: string | null;
  #closed: Promise<void> | null = null;

  constructor({ lock, pid, node, ...options }: WriterOptions) {
    super(options);
    this.#lock = lock;
    this.#pid = pid;
    this.#node = node;
    this.#startedAt = this.clock();
    const handleId = `${pid}-${randomSuffix()}`;
    this.alerts = SqliteAlertStore.ofManager(this.connection, this.clock, handleId);
    this.requestKeys = new SqliteRequestKeys(this.connection, this.clock, handleId);
    this.announcements = new SqliteAnnouncements(this.connection, this.clock);
    this.alertBook = new SqliteAlertBook(this.connection, this.clock);
  }

  reserve(drafts: readonly InstanceDraft[], ports: readonly number[], desiredDelta: number): Promise<Instance[]> {
    return this.connection.write((handle) => {
      const instances = drafts.map((draft) => reserveInstance(handle, draft, ports));
      const service = drafts[0]?.service;
      if (service === undefined) return instances;
      addDesired(handle, service, desiredDelta);
      raiseRevision(handle);
      return instances;
    });
  }

  update(id: string, change: InstanceChange): Promise<{ instance: Instance; revision: number }> {
    const { desiredDelta = 0, ...fields } = change;
    return this.connection.write((handle) => {
      const before = readInstance(handle, id);
      if (!before) throw instanceNotFound(id);
      const instance = checkInstance({ ...before, ...fields });
      checkStep(before, instance);
      checkPort(handle, instance);
      const changed = updateInstance(handle, before, instance);
      const counted = addDesired(handle, instance.service, desiredDelta);
      const revision = changed || counted ? raiseRevision(handle) : readMeta(handle).revision;
      return { instance, revision };
    });
  }

  remove(id: string, desiredDelta = 0): Promise<void> {
    return this.connection.write((handle) => {
      const instance = readInstance(handle, id);
      if (!instance) return;
      handle.run('DELETE FROM instances WHERE id = ?', id);
      addDesired(handle, instance.service, desiredDelta);
      raiseRevision(handle);
    });
  }

  changeService(service: string, change: ServiceChange): Promise<number> {
    return this.connection.write((handle) =>
      changeService(handle, service, change) ? raiseRevision(handle) : readMeta(handle).revision,
    );
  }

  reviseService(
    service: string,
    revise: (present: ServiceState) => ServiceChange,
  ): ReturnType<RegistryWriter['reviseService']> {
    return this.connection.write((handle) => {
      const before = readService(handle, service) ?? newServiceState(service);
      const changed = changeService(handle, service, revise(before));
      const revision = changed ? raiseRevision(handle) : readMeta(handle).revision;
      return { before, after: readService(handle, service) ?? before, revision };
    });
  }

  forgetService(service: string): Promise<void> {
    return this.connection.write((handle) => {
      if (handle.run('DELETE FROM services WHERE name = ?', service) > 0) raiseRevision(handle);
    });
  }

  recordEvent({ at, type, service, instanceId, message, data }: HeimdallEvent): Promise<void> {
    return this.connection.write((handle) => {
      handle.run(
        'INSERT INTO events (at, type, service, instance_id, message, data) VALUES (?, ?, ?, ?, ?, ?)',
        at,
        type,
        service,
        instanceId,
        message,
        JSON.stringify(data),
      );
    });
  }

  createDeployment(draft: DeploymentDraft): Promise<Deployment> {
    return this.connection.write((handle) => insertDeployment(handle, draft, this.clock()));
  }

  changeDeployment(id: number, change: DeploymentChange, service: ServiceChange = {}): Promise<Deployment> {
    return this.connection.write((handle) => {
      const before = readDeployment(handle, id);
      if (isOver(before)) return before;
      const deployment = updateDeployment(handle, id, change);
      changeService(handle, deployment.service, service);
      raiseRevision(handle);
      return deployment;
    });
  }

  giveUpDeployment(id: number, reason: string): Promise<void> {
    return this.connection.write((handle) => {
      if (skipDeployment(handle, id, reason, this.clock())) raiseRevision(handle);
    });
  }

  recordStep(step: Omit<DeploymentStep, 'id' | 'node'>): Promise<DeploymentStep> {
    return this.connection.write((handle) => insertStep(handle, step));
  }

  deployments({ limit, service, active }: DeploymentQuery): Promise<Deployment[]> {
    return this.connection.read((handle) => readDeployments(handle, limit, service ?? null, active ?? false));
  }

  async allDeployments(query: DeploymentQuery): Promise<Deployment[][]> {
    return (await this.deployments(query)).map((deployment) => [deployment]);
  }

  async deploymentParts(id: number): Promise<Deployment[]> {
    return [await this.deployment(id)];
  }

  releases(service: string): Promise<NodeRelease[]> {
    return this.connection.read((handle) => {
      const release = readService(handle, service)?.release;
      return release === undefined ? [] : [{ node: this.#node ?? '', release }];
    });
  }

  deployment(id: number): Promise<Deployment> {
    return this.connection.read((handle) => readDeployment(handle, id));
  }

  deploymentSteps(deployment: number, after: number): Promise<DeploymentStep[]> {
    return this.connection.read((handle) => readSteps(handle, deployment, after));
  }

  traffic(): Promise<ProxyTraffic[]> {
    return this.connection.read((handle) => readTraffic(handle, this.clock() - HEARTBEAT_LIMIT_MS));
  }

  samples(since: number): Promise<TrafficSample[]> {
    return this.connection.read((handle) => readSamples(handle, since));
  }

  noteWatched(until: number): Promise<void> {
    return this.connection.write((handle) => writeWatched(handle, until));
  }

  countEvents(query: EventCountQuery): Promise<EventCount[]> {
    return this.connection.read((handle) => countEvents(handle, query));
  }

  pruneEvents(before: number): Promise<number> {
    return this.connection.write((handle) => {
      deleteSteps(handle, before);
      return handle.run('DELETE FROM events WHERE at < ?', before);
    });
  }

  /** All but the announced ones: there is one manager. */
  async own(): Promise<Snapshot> {
    const picture = await this.snapshot();
    return { ...picture, instances: picture.instances.filter(({ agent }) => agent === null) };
  }

  async nodes(): Promise<NodeRecord[]> {
    const node = await this.connection.read(readNode);
    return node === null ? [] : [{ ...node, alive: isAlive({ heartbeatAt: node.seenAt }, this.clock()) }];
  }

  /** There is but the one of this manager. */
  async forgetNode(name: string): Promise<never> {
    const nodes = await this.nodes();
    throw nodes.some((node) => node.name === name) ? nodePresent(name) : nodeNotFound(name, nodes);
  }

  /** There is none. */
  async usage(): Promise<ReadonlyMap<string, Usage>> {
    return new Map();
  }

  async leads(): Promise<boolean> {
    return true;
  }

  heartbeat(note?: NodeNote): Promise<void> {
    return this.connection.write((handle) => {
      handle.run(
        `INSERT INTO managers (id, pid, started_at, heartbeat_at, node, note) VALUES (1, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET pid = excluded.pid, started_at = excluded.started_at,
           heartbeat_at = excluded.heartbeat_at, node = excluded.node, note = coalesce(excluded.note, note)`,
        this.#pid,
        this.#startedAt,
        this.clock(),
        this.#node,
        note === undefined ? null : JSON.stringify(note),
      );
    });
  }

  /** Takes the manager's row and lock away as well; what cannot be written any more is left to the next manager. */
  override close(): Promise<void> {
    this.#closed ??= this.#leave();
    return this.#closed;
  }

  async #leave(): Promise<void> {
    await this.connection.write((handle) => handle.run('DELETE FROM managers')).catch(() => undefined);
    await super.close();
    this.#lock.release();
  }
}

/** Returns whether the count changed; it never falls below 0. */
function addDesired(handle: Handle, service: string, delta: number): boolean {
  const before = readService(handle, service)?.desired ?? 0;
  const desired = Math.max(0, before + delta);
  return desired !== before && changeService(handle, service, { desired });
}
