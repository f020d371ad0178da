import type { HealthRecord } from '../../model/health.ts';
import type { EjectionRecord } from '../../model/ejection.ts';
import type { TrafficSample } from '../../model/traffic-sample.ts';
import { EJECTION_KEPT_MS, FINDINGS_KEPT_MS } from '../kept-for.ts';
import type {
  DemandRecord,
  LatencyRecord,
  ProxyRegistry,
  ProxyReport,
  RegistryListener,
  Snapshot,
  TrafficRecord,
} from '../registry.ts';
import { SqliteAlertStore } from './alert-store.ts';
import type { Handle } from './handle.ts';
import { readEjections, readLatencies, readMeta } from './queries.ts';
import { type ReaderOptions, SqliteReader } from './reader.ts';
import { readWatched, writeSample } from './samples.ts';

/** Age of a heartbeat from which the load balancer's rows are swept away, in milliseconds. */
const PROXY_SWEEP_MS = 60_000;

interface ProxyRegistryParts extends ReaderOptions {
  readonly proxyId: string;
  readonly pid: number;
}

/** The load balancer's side of the SQLite registry. */
export class SqliteProxyRegistry extends SqliteReader implements ProxyRegistry {
  readonly proxyId: string;
  readonly alerts: SqliteAlertStore;
  readonly #pid: number;
  #startedAt: number;
  #swept = false;
  /** The registry of the last picture given out; null before the first. */
  #pictured: string | null = null;

  constructor({ proxyId, pid, ...options }: ProxyRegistryParts) {
    super(options);
    this.proxyId = proxyId;
    this.#pid = pid;
    this.#startedAt = this.clock();
    this.alerts = SqliteAlertStore.ofProxy(this.connection, this.clock, proxyId);
  }

  override async snapshot(): Promise<Snapshot> {
    const picture = await super.snapshot();
    this.#pictured = picture.registryId;
    return picture;
  }

  override watch(listener: RegistryListener, signal: AbortSignal): void {
    const changed = (picture: Snapshot): void => {
      this.#pictured = picture.registryId;
      listener.changed(picture);
    };
    super.watch({ changed, failed: (error) => listener.failed(error) }, signal);
  }

  async report({ appliedRevision, inFlight, traffic = [], demand = [] }: ProxyReport): Promise<void> {
    const now = this.clock();
    await this.connection.write((handle) => {
      if (!this.#swept) handle.run('DELETE FROM proxies WHERE heartbeat_at < ?', now - PROXY_SWEEP_MS);
      // a revision of another registry would acknowledge changes that this load balancer never saw
      const comparable = this.#pictured === null || this.#pictured === readMeta(handle).registryId;
      handle.run(
        `INSERT INTO proxies (id, pid, started_at, heartbeat_at, applied_revision) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET pid = excluded.pid, started_at = excluded.started_at,
           heartbeat_at = excluded.heartbeat_at, applied_revision = excluded.applied_revision`,
        this.proxyId,
        this.#pid,
        this.#startedAt,
        now,
        comparable ? appliedRevision : null,
      );
      handle.run('DELETE FROM proxy_leases WHERE proxy_id = ?', this.proxyId);
      for (const [instanceId, count] of inFlight) {
        const insert = 'INSERT INTO proxy_leases (proxy_id, instance_id, in_flight) VALUES (?, ?, ?)';
        handle.run(insert, this.proxyId, instanceId, count);
      }
      this.#saveTraffic(handle, traffic);
      this.#saveDemand(handle, demand);
    });
    this.#swept = true;
  }

  saveHealth(records: readonly HealthRecord[]): Promise<void> {
    const now = this.clock();
    return this.connection.write((handle) => {
      for (const { instanceId, incarnation, health, cause, since, proxyId } of records) {
        handle.run(
          `INSERT OR REPLACE INTO health (instance_id, incarnation, health, cause, since, proxy_id, reported_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
          instanceId,
          incarnation,
          health,
          cause,
          since,
          proxyId,
          now,
        );
      }
      // declared instances have no row of their own, so that absence alone proves nothing
      handle.run(
        'DELETE FROM health WHERE reported_at < ? AND instance_id NOT IN (SELECT id FROM instances)',
        now - FINDINGS_KEPT_MS,
      );
    });
  }

  latencies(): Promise<LatencyRecord[]> {
    return this.connection.read(readLatencies);
  }

  saveLatencies(records: readonly LatencyRecord[]): Promise<void> {
    return this.connection.write((handle) => {
      for (const { instanceId, incarnation, cost, at } of records) {
        handle.run(
          'INSERT OR REPLACE INTO latencies (instance_id, incarnation, cost, at) VALUES (?, ?, ?, ?)',
          instanceId,
          incarnation,
          cost,
          at,
        );
      }
      handle.run('DELETE FROM latencies WHERE at < ?', this.clock() - FINDINGS_KEPT_MS);
    });
  }

  ejections(): Promise<EjectionRecord[]> {
    return this.connection.read((handle) => readEjections(handle, this.clock() - EJECTION_KEPT_MS));
  }

  saveEjections(records: readonly EjectionRecord[], over: readonly string[]): Promise<void> {
    return this.connection.write((handle) => {
      for (const { instanceId, incarnation, cause, since, until, times } of records) {
        handle.run(
          'INSERT OR REPLACE INTO ejections (instance_id, incarnation, cause, since, until, times) VALUES (?, ?, ?, ?, ?, ?)',
          instanceId,
          incarnation,
          cause,
          since,
          until,
          times,
        );
      }
      for (const id of over) handle.run('DELETE FROM ejections WHERE instance_id = ?', id);
      handle.run('DELETE FROM ejections WHERE until < ?', this.clock() - EJECTION_KEPT_MS);
    });
  }

  saveSample(sample: TrafficSample): Promise<void> {
    return this.connection.write((handle) => writeSample(handle, sample));
  }

  watchedUntil(): Promise<number> {
    return this.connection.read(readWatched);
  }

  stepBack(): void {
    this.#startedAt = this.clock();
  }

  withdraw(): Promise<void> {
    return this.connection.write((handle) => {
      handle.run('DELETE FROM proxies WHERE id = ?', this.proxyId);
    });
  }

  #saveTraffic(handle: Handle, traffic: readonly TrafficRecord[]): void {
    handle.run('DELETE FROM proxy_traffic WHERE proxy_id = ?', this.proxyId);
    for (const { instanceId, incarnation, requests, failures, inFlight } of traffic) {
      handle.run(
        `INSERT INTO proxy_traffic (proxy_id, instance_id, incarnation, requests, failures, in_flight)
         VALUES (?, ?, ?, ?, ?, ?)`,
        this.proxyId,
        instanceId,
        incarnation,
        requests,
        failures,
        inFlight,
      );
    }
  }

  #saveDemand(handle: Handle, demand: readonly DemandRecord[]): void {
    handle.run('DELETE FROM proxy_demand WHERE proxy_id = ?', this.proxyId);
    for (const { service, waiting, requests } of demand) {
      const insert = 'INSERT INTO proxy_demand (proxy_id, service, waiting, requests) VALUES (?, ?, ?, ?)';
      handle.run(insert, this.proxyId, service, waiting, requests);
    }
  }
}
