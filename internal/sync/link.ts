import type { Logger } from '../../pkg/logger/logger.ts';
import type { HealthRecord } from '../model/health.ts';
import { messageOf } from '../model/errors.ts';
import {
  HEARTBEAT_LIMIT_MS,
  isAlive,
  type ProxyRegistry,
  type ProxyReport,
  type Snapshot,
} from '../registry/registry.ts';

const HEARTBEAT_MS = 1_000;

export interface SyncLinkOptions {
  readonly registry: ProxyRegistry;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** What is in force in the front. */
  readonly report: () => ProxyReport;
  readonly onPicture: (snapshot: Snapshot) => void;
  /** With every heartbeat. */
  readonly onBeat: () => void;
}

/**
 * The registry's side of a front: it counts as a load balancer, so that drains wait for it. Whatever happens to the registry,
 * the front goes on with what it has.
 */
export class SyncLink {
  readonly #options: SyncLinkOptions;
  readonly #abort = new AbortController();
  readonly #unsaved = new Map<string, HealthRecord>();
  #heartbeat: NodeJS.Timeout | null = null;
  #seen: Snapshot | null = null;
  /** When the registry last took a report, in epoch milliseconds. */
  #reportedAt = 0;
  #reporting: Promise<void> | null = null;
  #reportAgain = false;
  #available = true;

  constructor(options: SyncLinkOptions) {
    this.#options = options;
  }

  /** Whoever drains from now on waits for this front; pictures come when there are any. */
  async start(): Promise<void> {
    await this.report(); // before the first picture is read: a drain that begins in between waits for us
    this.#options.registry.watch(
      { changed: (snapshot) => void this.#changed(snapshot), failed: (error) => this.#failed(error) },
      this.#abort.signal,
    );
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS);
  }

  /** Tells what is in force. One report at a time; what changes meanwhile goes into the next. Never rejects. */
  report(): Promise<void> {
    this.#reportAgain = true;
    this.#reporting ??= this.#reportAll().finally(() => {
      this.#reporting = null;
    });
    return this.#reporting;
  }

  /** For the list of instances, and for load balancers that start later. */
  saveHealth(record: Omit<HealthRecord, 'proxyId'>): void {
    this.#unsaved.set(record.instanceId, { ...record, proxyId: this.#options.registry.proxyId });
    void this.#saveHealth();
  }

  /** Drains wait for this front no more. */
  async stop(): Promise<void> {
    this.#abort.abort();
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    await this.#reporting;
    const { registry, log } = this.#options;
    await registry
      .withdraw()
      .catch((error: unknown) => log.warn({ err: error }, 'could not withdraw; the row expires by itself'));
    await registry.close();
  }

  async #changed(snapshot: Snapshot): Promise<void> {
    const picture = await this.#fresh(snapshot);
    if (this.#abort.signal.aborted) return;
    const { log, onPicture } = this.#options;
    if (!this.#available) log.info('the registry is back');
    this.#available = true;
    const before = this.#seen;
    const isOther = before !== null && before.registryId !== picture.registryId;
    if (isOther && picture.instances.length === 0) {
      log.warn('the registry was replaced by an empty one; the last picture stays in force until it has instances');
      return;
    }
    if (!isOther && before !== null && picture.revision < before.revision) return; // overtaken by a newer one
    this.#seen = picture;
    onPicture(picture);
  }

  /** A manager that took us for dead may have gone on without us: announce ourselves first, and read again. */
  async #fresh(snapshot: Snapshot): Promise<Snapshot> {
    const { registry, now, report } = this.#options;
    if (now() - this.#reportedAt < HEARTBEAT_LIMIT_MS) return snapshot;
    try {
      await registry.report(report());
      this.#reportedAt = now();
      return await registry.snapshot();
    } catch {
      return snapshot; // still better than what is in force
    }
  }

  #failed(error: Error): void {
    if (!this.#available) return;
    this.#available = false;
    this.#options.log.error({ err: error }, `the registry cannot be read, nothing is changed: ${messageOf(error)}`);
  }

  async #beat(): Promise<void> {
    this.#options.onBeat();
    await this.report();
    await this.#saveHealth();
    await this.#leaveTheLead();
  }

  /** Load balancers of ours alert for all; this one alerts nobody, so it must not be the one that does. */
  async #leaveTheLead(): Promise<void> {
    const { registry, now, log } = this.#options;
    try {
      const others = (await registry.proxies()).filter((proxy) => isAlive(proxy, now()));
      const own = others.find(({ id }) => id === registry.proxyId);
      if (own === undefined || this.#abort.signal.aborted) return;
      if (others.some(({ id, startedAt }) => id !== own.id && startedAt >= own.startedAt)) registry.stepBack();
    } catch (error) {
      log.debug({ err: error }, 'the other load balancers cannot be asked for');
    }
  }

  async #reportAll(): Promise<void> {
    const { registry, now, report, log } = this.#options;
    while (this.#reportAgain && !this.#abort.signal.aborted) {
      this.#reportAgain = false;
      try {
        await registry.report(report());
        this.#reportedAt = now();
      } catch (error) {
        log.debug({ err: error }, 'the registry took no report; the next heartbeat tries again');
      }
    }
  }

  async #saveHealth(): Promise<void> {
    const records = [...this.#unsaved.values()];
    if (records.length === 0 || this.#abort.signal.aborted) return;
    this.#unsaved.clear();
    try {
      await this.#options.registry.saveHealth(records);
    } catch {
      // Kept for the next heartbeat, unless something newer came meanwhile.
      for (const record of records) {
        if (!this.#unsaved.has(record.instanceId)) this.#unsaved.set(record.instanceId, record);
      }
    }
  }
}
