import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { Deployment, DeploymentStep } from '../../model/deployment.ts';
import { HeimdallError } from '../../model/errors.ts';
import type { EventCount, EventCountQuery, HeimdallEvent } from '../../model/event.ts';
import { type Instance, InstanceSchema } from '../../model/instance.ts';
import { mayFollow } from '../../model/lifecycle.ts';
import { newServiceState, type ServiceState } from '../../model/service-state.ts';
import type { TrafficSample } from '../../model/traffic-sample.ts';
import {
  type DeploymentChange,
  type DeploymentDraft,
  HEARTBEAT_LIMIT_MS,
  type InstanceChange,
  type InstanceDraft,
  type ProxyTraffic,
  type RegistryWriter,
  type ServiceChange,
} from '../registry.ts';
import { SqliteAlertBook } from './alert-book.ts';
import { SqliteAlertStore } from './alert-store.ts';
import {
  deleteSteps,
  insertDeployment,
  insertStep,
  readDeployment,
  readDeployments,
  readSteps,
  updateDeployment,
} from './deployments.ts';
import { countEvents } from './event-counts.ts';
import type { Handle } from './handle.ts';
import type { ManagerLock } from './manager-lock.ts';
import { readInstance, readMeta, readService, readTraffic, takenPorts } from './queries.ts';
import { type ReaderOptions, SqliteReader } from './reader.ts';
import { SqliteRequestKeys } from './request-keys.ts';
import { readSamples, writeWatched } from './samples.ts';
import { changeService } from './services.ts';

const SUFFIX_LENGTH = 6;

interface WriterOptions extends ReaderOptions {
  readonly lock: ManagerLock;
  readonly pid: number;
}

/** The manager's side of the SQLite registry; owns the manager lock until it is closed. */
export class SqliteWriter extends SqliteReader implements RegistryWriter {
  readonly alerts: SqliteAlertStore;
  readonly alertBook: SqliteAlertBook;
  readonly requestKeys: SqliteRequestKeys;
  readonly #lock: ManagerLock;
  readonly #pid: number;
  readonly #startedAt: number;
  #closed: Promise<void> | null = null;

  constructor({ lock, pid, ...options }: WriterOptions) {
    super(options);
    this.#lock = lock;
    this.#pid = pid;
    this.#startedAt = this.clock();
    const handleId = `${pid}-${randomSuffix()}`;
    this.alerts = SqliteAlertStore.ofManager(this.connection, this.clock, handleId);
    this.requestKeys = new SqliteRequestKeys(this.connection, this.clock, handleId);
    this.alertBook = new SqliteAlertBook(this.connection, this.clock);
  }

  reserve(drafts: readonly InstanceDraft[], ports: readonly number[], desiredDelta: number): Promise<Instance[]> {
    return this.connection.write((handle) => {
      const instances = drafts.map((draft) => insertInstance(handle, draft, ports));
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
      if (!before) throw new HeimdallError('INSTANCE_NOT_FOUND', `There is no instance ${id}.`, { id });
      const instance = checkInstance({ ...before, ...fields });
      checkStep(before, instance);
      checkPort(handle, instance);
      const changed = isDifferent(before, instance);
      if (changed) updateInstance(handle, instance);
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
      const deployment = updateDeployment(handle, id, change);
      changeService(handle, deployment.service, service);
      raiseRevision(handle);
      return deployment;
    });
  }

  recordStep(step: Omit<DeploymentStep, 'id'>): Promise<DeploymentStep> {
    return this.connection.write((handle) => insertStep(handle, step));
  }

  deployments({ limit, service, active }: Parameters<RegistryWriter['deployments']>[0]): Promise<Deployment[]> {
    return this.connection.read((handle) => readDeployments(handle, limit, service ?? null, active ?? false));
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

  heartbeat(): Promise<void> {
    return this.connection.write((handle) => {
      handle.run(
        'INSERT OR REPLACE INTO managers (id, pid, started_at, heartbeat_at) VALUES (1, ?, ?, ?)',
        this.#pid,
        this.#startedAt,
        this.clock(),
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

function insertInstance(handle: Handle, draft: InstanceDraft, ports: readonly number[]): Instance {
  const taken = takenPorts(handle, draft.host);
  const port = ports.find((candidate) => !taken.has(candidate));
  if (port === undefined) {
    const message = `No port is free for ${draft.service} on ${draft.host}: every candidate is taken.`;
    throw new HeimdallError('NO_FREE_PORT', message, { host: draft.host, ports });
  }
  const instance = checkInstance({
    ...draft,
    id: `${draft.service}-${port}-${randomSuffix()}`,
    port,
    lifecycle: 'starting',
    process: null,
    startedAt: null,
    restarts: 0,
    lastError: null,
  });
  handle.run(
    `INSERT INTO instances (service, host, port, weight, version, variant, deployment, lifecycle, process, env, started_at,
       restarts, last_error, id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...columnsOf(instance),
  );
  return instance;
}

function updateInstance(handle: Handle, instance: Instance): void {
  handle.run(
    `UPDATE instances SET service = ?, host = ?, port = ?, weight = ?, version = ?, variant = ?, deployment = ?, lifecycle = ?,
       process = ?, env = ?, started_at = ?, restarts = ?, last_error = ? WHERE id = ?`,
    ...columnsOf(instance),
  );
}

/** In the order of both statements above. */
function columnsOf(instance: Instance): (string | number | null)[] {
  const { id, service, host, port, weight, version, variant, deployment, lifecycle, process } = instance;
  const identity = process && JSON.stringify(process);
  const { env, startedAt, restarts, lastError } = instance;
  const made = [service, host, port, weight, version, variant, deployment];
  return [...made, lifecycle, identity, JSON.stringify(env), startedAt, restarts, lastError, id];
}

function isDifferent(before: Instance, after: Instance): boolean {
  const columns = columnsOf(after);
  return columnsOf(before).some((value, index) => value !== columns[index]);
}

/** A row that readers would refuse is not written. */
function checkInstance(instance: Instance): Instance {
  const parsed = InstanceSchema.safeParse(instance);
  if (parsed.success) return parsed.data;
  const message = `The instance ${instance.id} is not valid: ${z.prettifyError(parsed.error)}`;
  throw new HeimdallError('INVALID_REQUEST', message, { id: instance.id });
}

function checkStep({ id, lifecycle: from }: Instance, { lifecycle: to }: Instance): void {
  if (mayFollow(from, to)) return;
  const message = `The instance ${id} is ${from} and cannot become ${to}.`;
  throw new HeimdallError('LIFECYCLE_CONFLICT', message, { id, from, to });
}

function checkPort(handle: Handle, { id, host, port }: Instance): void {
  const holder = takenPorts(handle, host).get(port);
  if (holder === undefined || holder === id) return;
  const message = `Port ${port} on ${host} is taken by ${holder}.`;
  throw new HeimdallError('PORT_TAKEN', message, { host, port, holder });
}

/** Returns whether the count changed; it never falls below 0. */
function addDesired(handle: Handle, service: string, delta: number): boolean {
  const before = readService(handle, service)?.desired ?? 0;
  const desired = Math.max(0, before + delta);
  return desired !== before && changeService(handle, service, { desired });
}

/** Once per transaction that changes desired state. */
function raiseRevision(handle: Handle): number {
  handle.run('UPDATE meta SET revision = revision + 1');
  return readMeta(handle).revision;
}

function randomSuffix(): string {
  return Array.from({ length: SUFFIX_LENGTH }, () => randomInt(36).toString(36)).join('');
}
