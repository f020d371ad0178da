import type { EjectionRecord } from '../../model/ejection.ts';
import type { HealthRecord } from '../../model/health.ts';
import type { TrafficSample } from '../../model/traffic-sample.ts';
import {
  HEARTBEAT_LIMIT_MS,
  type LatencyRecord,
  type ProxyRecord,
  type ProxyRegistry,
  type ProxyReport,
  type RegistryListener,
  type Snapshot,
} from '../registry.ts';
import { EtcdAlertStore } from './alert-store.ts';
import { HealthRecords } from './health-records.ts';
import { LivingLease, withLeases } from './leases.ts';
import { Memories } from './memories.ts';
import { NAMES } from './names.ts';
import { valueIfValid } from './parse.ts';
import { EtcdReader, type ReaderOptions } from './reader.ts';
import { MANAGER_PREFIX } from './owners.ts';
import { proxiesOf } from './proxies.ts';
import { Samples } from './samples.ts';
import { FORM, type ProxyEntry } from './forms.ts';
import type { Guard, Write } from './store.ts';

const PRESENCE_SECONDS = HEARTBEAT_LIMIT_MS / 1_000;
/** Somewhat less than the time between two heartbeats, so that each is one. */
const PRESENCE_RENEWED_MS = 900;
/** For how long people are told of one that is gone. */
const RECORD_SECONDS = 60;
const RECORD_RENEWED_MS = 10_000;

interface ProxyRegistryParts extends Omit<ReaderOptions, 'told'> {
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
  readonly #health: HealthRecords;
  readonly #samples: Samples;
  /** What was written last, with which leases. */
  #told = '';
  #stepsBack = false;
  /** The registry of the last picture given out; null before the first. */
  #pictured: string | null = null;
  #reports: Promise<unknown> = Promise.resolve();

  constructor({ proxyId, pid, node, ...options }: ProxyRegistryParts) {
    super({ ...options, told: null });
    const { store, mirror, clock } = options;
    this.proxyId = proxyId;
    this.#pid = pid;
    this.#node = node;
    this.#startedAt = clock();
    this.#presence = new LivingLease(store, PRESENCE_SECONDS, PRESENCE_RENEWED_MS);
    this.#record = new LivingLease(store, RECORD_SECONDS, RECORD_RENEWED_MS);
    this.#memories = new Memories(store, proxyId, clock);
    this.#health = new HealthRecords({ store, instances: this.instances, clock });
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

  /** Who is there: with every heartbeat one asks whether it speaks for all. What they have in force is not known here. */
  override async proxies(): Promise<ProxyRecord[]> {
    await this.mirror.ready();
    return proxiesOf([], this.mirror.all('present').values(), this.clock());
  }

  report(report: ProxyReport): Promise<void> {
    return this.#inTurn(() => withLeases([this.#presence, this.#record], () => this.#report(report)));
  }

  async saveHealth(records: readonly HealthRecord[]): Promise<void> {
    await this.mirror.ready();
    await this.during(this.#health.save(records));
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
      await this.#memories.flush().catch(() => undefined); // to leave is worth more
      this.#told = '';
      const names = [NAMES.present(this.proxyId), NAMES.proxy(this.proxyId)];
      await this.store.write(names.map((remove) => ({ remove })));
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
    const told = JSON.stringify([record, value]);
    const present = NAMES.present(this.proxyId);
    const isPresent = this.mirror.get(present)?.lease === presence && !this.#stepsBack;
    if (isPresent && told === this.#told) return;
    if (this.#stepsBack) {
      await this.store.write([{ remove: present }]); // made anew it is the youngest
      this.#stepsBack = false;
    }
    const sign: Write = { put: present, value: { pid: this.#pid, startedAt: this.#startedAt }, lease: presence };
    const writes: Write[] = [{ put: NAMES.proxy(this.proxyId), value, lease: record }, ...(isPresent ? [] : [sign])];
    const revision = await this.store.write(writes);
    this.#told = told;
    if (!isPresent) await this.mirror.reach(revision);
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
