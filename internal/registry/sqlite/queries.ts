import { HeimdallError } from '../../model/errors.ts';
import type { StoredEvent } from '../../model/event.ts';
import type { Health, HealthRecord } from '../../model/health.ts';
import type { Instance } from '../../model/instance.ts';
import type { EjectionRecord } from '../../model/ejection.ts';
import type { NodeRecord } from '../../model/node.ts';
import type { ServiceState } from '../../model/service-state.ts';
import { EjectionRecordSchema, HealthRecordSchema, LatencyRecordSchema } from '../record-schemas.ts';
import type { EventQuery, LatencyRecord, ManagerRecord, ProxyRecord, ProxyTraffic } from '../registry.ts';
import type { Handle } from './handle.ts';
import {
  CountRowSchema,
  DemandRowSchema,
  EventRowSchema,
  IdRowSchema,
  IdsRowSchema,
  InstanceRowSchema,
  LeaseRowSchema,
  ManagerRowSchema,
  type MetaRow,
  MetaRowSchema,
  NodeRowSchema,
  PortsRowSchema,
  parseRow,
  ProxyRowSchema,
  ServiceRowSchema,
  TrafficRowSchema,
} from './rows.ts';

const SERVICES = `SELECT name AS service, desired, configured, release, overrides, paused_since AS pausedSince, scheduled,
  (SELECT id FROM deployments WHERE service = name AND state IN ('running', 'rolling-back')) AS deploying FROM services`;
const INSTANCES = `SELECT id, service, host, port, node, agent, weight, version, variant, deployment, lifecycle, process, env,
  started_at AS startedAt, restarts, last_error AS lastError FROM instances`;

/** Call the functions of this file inside a transaction wherever two readings must agree. */
export function readMeta(handle: Handle): MetaRow {
  const row = handle.get('SELECT registry_id AS registryId, revision FROM meta');
  if (row === undefined) throw new HeimdallError('REGISTRY_BROKEN', 'The registry is damaged: meta has no row.');
  return parseRow('meta', MetaRowSchema, row);
}

export function readServices(handle: Handle): ServiceState[] {
  return handle.all(`${SERVICES} ORDER BY name`).map((row) => parseRow('services', ServiceRowSchema, row));
}

/** Those that were changed, or inserted, after a revision, in the order in which they came. @param revision - -1: all. */
export function readInstancesChangedAfter(handle: Handle, revision: number): Instance[] {
  const rows = handle.all(`${INSTANCES} WHERE changed > ? ORDER BY rowid`, revision);
  return rows.map((row) => parseRow('instances', InstanceRowSchema, row));
}

export function countInstances(handle: Handle): number {
  return parseRow('sqlite', CountRowSchema, handle.get('SELECT count(*) AS count FROM instances')).count;
}

export function readInstanceIds(handle: Handle): string[] {
  const row = handle.get('SELECT json_group_array(id) AS ids FROM instances');
  return parseRow('instances', IdsRowSchema, row).ids;
}

export function readInstance(handle: Handle, id: string): Instance | null {
  const row = handle.get(`${INSTANCES} WHERE id = ?`, id);
  return row === undefined ? null : parseRow('instances', InstanceRowSchema, row);
}

export function readInstanceAt(handle: Handle, host: string, port: number): Instance | null {
  const row = handle.get(`${INSTANCES} WHERE host = ? AND port = ?`, host, port);
  return row === undefined ? null : parseRow('instances', InstanceRowSchema, row);
}

/** Of instances that agents have announced. @param agent - only those of this one; null: of all. */
export function readAnnouncedIds(handle: Handle, agent: string | null): string[] {
  const whose = agent === null ? '' : "AND agent ->> '$.id' = ?";
  const rows = handle.all(
    `SELECT id FROM instances WHERE agent IS NOT NULL ${whose}`,
    ...(agent === null ? [] : [agent]),
  );
  return rows.map((row) => parseRow('instances', IdRowSchema, row).id);
}

/** What the manager told of its node last; null before that, and when it has left. */
export function readNode(handle: Handle): Omit<NodeRecord, 'alive'> | null {
  const row = handle.get(
    `SELECT pid, started_at AS startedAt, heartbeat_at AS seenAt, coalesce(node, '') AS name, note FROM managers
     WHERE note IS NOT NULL`,
  );
  if (row === undefined) return null;
  const { note, ...node } = parseRow('managers', NodeRowSchema, row);
  return { ...node, ...note };
}

export function readService(handle: Handle, service: string): ServiceState | null {
  const row = handle.get(`${SERVICES} WHERE name = ?`, service);
  return row === undefined ? null : parseRow('services', ServiceRowSchema, row);
}

/** The id of the instance that holds the port; null: it is free. */
export function readHolder(handle: Handle, host: string, port: number): string | null {
  const row = handle.get('SELECT id FROM instances WHERE host = ? AND port = ?', host, port);
  return row === undefined ? null : parseRow('instances', IdRowSchema, row).id;
}

export function takenPorts(handle: Handle, host: string): Set<number> {
  const row = handle.get('SELECT json_group_array(port) AS ports FROM instances WHERE host = ?', host);
  return new Set(parseRow('instances', PortsRowSchema, row).ports);
}

/** @param only - null: whatever their health. */
export function readHealth(handle: Handle, only: Health | null): HealthRecord[] {
  const rows = handle.all(
    `SELECT instance_id AS instanceId, incarnation, health, cause, since, proxy_id AS proxyId FROM health
     WHERE health IS coalesce(?, health) ORDER BY instance_id`,
    only,
  );
  return rows.map((row) => parseRow('health', HealthRecordSchema, row));
}

export function readProxies(handle: Handle): ProxyRecord[] {
  const leases = handle
    .all('SELECT proxy_id AS proxyId, instance_id AS instanceId, in_flight AS inFlight FROM proxy_leases')
    .map((row) => parseRow('proxy_leases', LeaseRowSchema, row));
  const rows = handle.all(
    `SELECT id, pid, started_at AS startedAt, heartbeat_at AS heartbeatAt, applied_revision AS appliedRevision
     FROM proxies ORDER BY started_at, id`,
  );
  return rows.map((row) => {
    const proxy = parseRow('proxies', ProxyRowSchema, row);
    const own = leases.filter(({ proxyId }) => proxyId === proxy.id);
    return { ...proxy, inFlight: new Map(own.map(({ instanceId, inFlight }) => [instanceId, inFlight])) };
  });
}

/** @param since - heartbeats before it do not count; epoch milliseconds. */
export function readTraffic(handle: Handle, since: number): ProxyTraffic[] {
  const traffic = handle
    .all(
      'SELECT proxy_id AS proxyId, instance_id AS instanceId, incarnation, requests, failures, in_flight AS inFlight FROM proxy_traffic',
    )
    .map((row) => parseRow('proxy_traffic', TrafficRowSchema, row));
  const demand = handle
    .all('SELECT proxy_id AS proxyId, service, waiting, requests FROM proxy_demand')
    .map((row) => parseRow('proxy_demand', DemandRowSchema, row));
  const living = handle.all('SELECT id FROM proxies WHERE heartbeat_at >= ? ORDER BY id', since);
  return living.map((row) => {
    const { id } = parseRow('proxies', IdRowSchema, row);
    return {
      proxyId: id,
      instances: traffic.filter(({ proxyId }) => proxyId === id),
      services: demand.filter(({ proxyId }) => proxyId === id),
    };
  });
}

export function readLatencies(handle: Handle): LatencyRecord[] {
  const rows = handle.all('SELECT instance_id AS instanceId, incarnation, cost, at FROM latencies');
  return rows.map((row) => parseRow('latencies', LatencyRecordSchema, row));
}

/** @param since - those that were over before it are left out; epoch milliseconds. */
export function readEjections(handle: Handle, since: number): EjectionRecord[] {
  const rows = handle.all(
    'SELECT instance_id AS instanceId, incarnation, cause, since, until, times FROM ejections WHERE until >= ?',
    since,
  );
  return rows.map((row) => parseRow('ejections', EjectionRecordSchema, row));
}

/** Whoever manages the registry, or last did without leaving in order. */
export function readManager(handle: Pick<Handle, 'get'>): ManagerRecord | null {
  const row = handle.get('SELECT pid, started_at AS startedAt, heartbeat_at AS heartbeatAt FROM managers');
  return row === undefined ? null : parseRow('managers', ManagerRowSchema, row);
}

/**
 * Since some time: by the index on `at`, which SQLite passes over as long as the rows can be had in the order of their ids;
 * it would look at every event there is.
 */
export function readEvents(handle: Handle, { limit, service, since = 0, type = '', actor }: EventQuery): StoredEvent[] {
  const order = since > 0 ? '+id' : 'id';
  const whose = actor === undefined ? '' : "AND json_extract(data, '$.actor') = ?";
  const rows = handle.all(
    `SELECT id, at, type, service, instance_id AS instanceId, message, data FROM events
     WHERE service IS coalesce(?, service) AND at >= ? AND substr(type, 1, length(?)) = ? ${whose}
     ORDER BY ${order} DESC LIMIT ?`,
    service ?? null,
    since,
    type,
    type,
    ...(actor === undefined ? [] : [actor]),
    limit,
  );
  return rows.map((row) => parseRow('events', EventRowSchema, row));
}
