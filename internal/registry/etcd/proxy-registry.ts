import { isDeepStrictEqual } from 'node:util';
import type { EjectionRecord } from '../../model/ejection.ts';
import type { HealthRecord } from '../../model/health.ts';
import type { TrafficSample } from '../../model/traffic-sample.ts';
import { FINDINGS_KEPT_MS } from '../kept-for.ts';
import {
  HEARTBEAT_LIMIT_MS,
  type LatencyRecord,
  type ProxyRegistry,
  type ProxyReport,
  type RegistryListener,
  type Snapshot,
} from '../registry.ts';
import { EtcdAlertStore } from './alert-store.ts';
import { keptInstances } from './instances.ts';
import { LivingLease, withLeases } from './leases.ts';
import { Memories } from './memories.ts';
import { NAMES } from './names.ts';
import { valueIfValid, valueOf } from './parse.ts';
import { EtcdReader, type ReaderOptions } from './reader.ts';
import { MANAGER_PREFIX } from './owners.ts';
import { Samples } from './samples.ts';
import { FORM, type ProxyEntry } from './forms.ts';
import type { Guard, Write } from './store.ts';

const PRESENCE_SECONDS = HEARTBEAT_LIMIT_MS / 1_000;
/** Somewhat less than the time between two heartbeats, so that each is one. */
const PRESENCE_RENEWED_MS = 900;
/** For how long people are told of one that is gone. */
const RECORD_SECONDS = 60;
const RECORD_RENEWED_MS = 10_000;
/** Health that has not changed is written again after so long, for the sake of its age. */
const HEALTH_REWRITTEN_MS = 3_600_000;

interface ProxyRegistryParts extends ReaderOptions {
  readonly proxyId: string;
  readonly pid: number;
  readonly node: string | null;
}

/** The load balancer's side of the registry in etcd. That it lives its lease tells; what it tells is written when it changes. */
export class EtcdProxyRegistry extends EtcdReader implements ProxyRegistry {
  readonly proxyId: string;
  readonly alerts: EtcdAlertStore;
  readonly #pid: number;
  readonly #node: string | null;
  readonly #startedAt: number;
  readonly #presence: LivingLease;
  readonly #record: LivingLease;
  readonly #memories: Memories;
  readonly #samples: Samples;
  /** What was written last, with which leases. */
  #told = '';
  #stepsBack = false;
  /** The registry of the last picture given out; null before the first. */
  #pictured: string | null = null;
  #reports: Promise<unknown> = Promise.resolve();

  constructor({ proxyId, pid, node, ...options }: ProxyRegistryParts) {
    super(options);
    const { store, mirror, clock } = options;
    this.proxyId = proxyId;
    this.#pid = pid;
    this.#node = node;
    this.#startedAt = clock();
    this.#presence = new LivingLease(store, PRESENCE_SECONDS, PRESENCE_RENEWED_MS);
    this.#record = new LivingLease(store, RECORD_SECONDS, RECORD_RENEWED_MS);
    this.#memories = new Memories(store, proxyId, clock);
    this.#samples = new Samples(store);
    this.alerts = new EtcdAlertStore({
      store,
      mirror,
      clock,
      owner: proxyId,
      goneGuard: (owner) => this.#goneGuard(owner),
    });
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

  report(report: ProxyReport): Promise<void> {
    return this.#inTurn(() => withLeases([this.#presence, this.#record], () => this.#report(report)));
  }

  async saveHealth(records: readonly HealthRecord[]): Promise<void> {
    await this.mirror.ready();
    const now = this.clock();
    const writes: Write[] = records.flatMap((record) => {
      const entry = this.mirror.get(NAMES.health(record.instanceId));
      const { savedAt = 0, ...known } = (entry && valueIfValid(FORM.health, entry)) ?? {};
      const isNews = !isDeepStrictEqual(known, healthOf(record)) || savedAt < now - HEALTH_REWRITTEN_MS;
      return isNews ? [putHealth(record, now)] : [];
    });
    const saved = new Set(records.map(({ instanceId }) => instanceId));
    for (const instanceId of this.#forgotten(now)) {
      if (!saved.has(instanceId)) writes.push({ remove: NAMES.health(instanceId) });
    }
    if (writes.length > 0) await this.mirror.reach(await this.during(this.store.write(writes)));
  }

  latencies(): Promise<LatencyRecord[]> {
    return this.#memories.latencies();
  }

  saveLatencies(records: readonly LatencyRecord[]): Promise<void> {
    return this.during(this.#memories.saveLatencies(records));
  }

  ejections(): Promise<EjectionRecord[]> {
    return this.#memories.ejections();
  }

  saveEjections(records: readonly EjectionRecord[], over: readonly string[]): Promise<void> {
    return this.during(this.#memories.saveEjections(records, over));
  }

  saveSample(sample: TrafficSample): Promise<void> {
    return this.during(this.#samples.write(sample));
  }

  async watchedUntil(): Promise<number> {
    await this.mirror.ready();
    const entry = this.mirror.get(NAMES.watched);
    return (entry && valueIfValid(FORM.number, entry)) ?? 0;
  }

  stepBack(): void {
    this.#stepsBack = true;
  }

  withdraw(): Promise<void> {
    return this.#inTurn(async () => {
      this.#told = '';
      const names = [NAMES.present(this.proxyId), NAMES.proxy(this.proxyId)];
      await this.mirror.reach(await this.store.write(names.map((remove) => ({ remove }))));
      await Promise.all([this.#presence.end(), this.#record.end()]);
    });
  }

  /** A write says what has changed, with the leases that it goes with. */
  async #report({ appliedRevision, inFlight, traffic = [], demand = [] }: ProxyReport): Promise<void> {
    const [presence, record] = [await this.#presence.hold(), await this.#record.hold()];
    await this.mirror.ready();
    // a revision of another registry would acknowledge changes that this load balancer never saw
    const isComparable = this.#pictured === null || this.#pictured === this.pictures.registryId;
    const value: ProxyEntry = {
      id: this.proxyId,
      pid: this.#pid,
      node: this.#node,
      startedAt: this.#startedAt,
      appliedRevision: isComparable ? appliedRevision : null,
      inFlight: Object.fromEntries(inFlight),
      traffic: [...traffic],
      demand: [...demand],
    };
    const told = JSON.stringify([presence, record, value]);
    if (told === this.#told && !this.#stepsBack && this.#isThere()) return;
    if (this.#stepsBack) {
      await this.store.write([{ remove: NAMES.present(this.proxyId) }]); // made anew it is the youngest
      this.#stepsBack = false;
    }
    const revision = await this.store.write([
      { put: NAMES.proxy(this.proxyId), value, lease: record },
      { put: NAMES.present(this.proxyId), value: this.#pid, lease: presence },
    ]);
    this.#told = told;
    await this.mirror.reach(revision);
  }

  /** Somebody may have taken the keys away. */
  #isThere(): boolean {
    return [NAMES.present(this.proxyId), NAMES.proxy(this.proxyId)].every((name) => this.mirror.get(name) !== null);
  }

  /** What neither has an instance in the registry nor was saved for a day: declared ones have none. */
  #forgotten(now: number): string[] {
    const old = [...this.mirror.all('health').values()]
      .map((entry) => valueOf(FORM.health, entry))
      .filter(({ savedAt }) => savedAt < now - FINDINGS_KEPT_MS);
    if (old.length === 0) return [];
    const known = new Set(keptInstances(this.mirror).map(({ instance }) => instance.id));
    return old.map(({ instanceId }) => instanceId).filter((id) => !known.has(id));
  }

  #goneGuard(owner: string): Guard | null {
    const name = NAMES.present(owner);
    return owner.startsWith(MANAGER_PREFIX) || this.mirror.get(name) !== null ? null : { name, created: 0 };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#reports.then(work);
    this.#reports = result.catch(() => undefined);
    return this.during(result);
  }
}

/** @param savedAt - epoch milliseconds. */
export function putHealth(record: HealthRecord, savedAt: number): Write {
  return { put: NAMES.health(record.instanceId), value: { ...healthOf(record), savedAt } };
}

function healthOf({ instanceId, incarnation, health, cause, since, proxyId }: HealthRecord): HealthRecord {
  return { instanceId, incarnation, health, cause, since, proxyId };
}
