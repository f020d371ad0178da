import type { Logger } from '../../pkg/logger/logger.ts';
import type { HealthRecord } from '../model/health.ts';
import { messageOf } from '../model/errors.ts';
import { HealthSaver } from '../registry/health-saver.ts';
import { isAlive, type ProxyRegistry, type ProxyReport, type Snapshot } from '../registry/registry.ts';
import { Reporter } from '../registry/reporter.ts';
import { supersedes } from '../registry/supersedes.ts';

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
  readonly #reporter: Reporter;
  readonly #health: HealthSaver;
  #heartbeat: NodeJS.Timeout | null = null;
  #seen: Snapshot | null = null;
  #available = true;

  constructor(options: SyncLinkOptions) {
    this.#options = options;
    this.#health = new HealthSaver(options.registry);
    this.#reporter = new Reporter({
      ...options,
      signal: this.#abort.signal,
      onTaken: () => {},
      onRefused: (error) =>
        options.log.debug({ err: error }, 'the registry took no report; the next heartbeat tries again'),
    });
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

  /** What `report` says has changed. Never rejects. */
  report(): Promise<void> {
    return this.#reporter.tell();
  }

  /** For the list of instances, and for load balancers that start later. */
  saveHealth(record: Omit<HealthRecord, 'proxyId'>): void {
    if (this.#abort.signal.aborted) return;
    this.#health.save({ ...record, proxyId: this.#options.registry.proxyId });
  }

  /** Drains wait for this front no more. */
  async stop(): Promise<void> {
    this.#abort.abort();
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    await this.#reporter.settled();
    const { registry, log } = this.#options;
    await registry
      .withdraw()
      .catch((error: unknown) => log.warn({ err: error }, 'could not withdraw; the row expires by itself'));
    await registry.close();
  }

  async #changed(snapshot: Snapshot): Promise<void> {
    const picture = await this.#reporter.upToDate(snapshot).catch(() => snapshot); // still better than what is in force
    if (this.#abort.signal.aborted) return;
    const { log, onPicture } = this.#options;
    if (!this.#available) log.info('the registry is back');
    this.#available = true;
    if (!supersedes(picture, this.#seen, log)) return;
    this.#seen = picture;
    onPicture(picture);
  }

  #failed(error: Error): void {
    if (!this.#available) return;
    this.#available = false;
    this.#options.log.error({ err: error }, `the registry cannot be read, nothing is changed: ${messageOf(error)}`);
  }

  async #beat(): Promise<void> {
    this.#options.onBeat();
    await this.report();
    if (!this.#abort.signal.aborted) await this.#health.flush();
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
}
