import type { HealthRecord } from '../model/health.ts';
import { RegistryAlarm, type RegistryAlarmOptions } from '../registry/alarm.ts';
import { HealthSaver } from '../registry/health-saver.ts';
import { Leadership } from '../registry/leader.ts';
import type { ProxyRegistry, ProxyReport, Snapshot } from '../registry/registry.ts';
import { Reporter } from '../registry/reporter.ts';
import { supersedes } from '../registry/supersedes.ts';

const HEARTBEAT_MS = 1_000;

export interface SyncLinkOptions extends RegistryAlarmOptions {
  readonly registry: ProxyRegistry;
  /** What is in force in the front. */
  readonly report: () => ProxyReport;
  /** What was known of health before; called once, before the first picture. */
  readonly onRecalled: (records: readonly HealthRecord[]) => void;
  readonly onPicture: (snapshot: Snapshot) => void;
  /** With every heartbeat. @param leading - whether this front speaks for all that serve the same. Never rejects. */
  readonly onBeat: (leading: boolean) => Promise<void>;
}

/**
 * The registry's side of a front: it counts as a load balancer, so that drains wait for it. Whatever happens to the registry,
 * the front goes on with what it has.
 */
export class SyncLink {
  readonly #options: SyncLinkOptions;
  readonly #abort = new AbortController();
  readonly #leadership: Leadership;
  readonly #alarm: RegistryAlarm;
  readonly #reporter: Reporter;
  readonly #health: HealthSaver;
  #heartbeat: NodeJS.Timeout | null = null;
  #seen: Snapshot | null = null;

  constructor(options: SyncLinkOptions) {
    this.#options = options;
    this.#health = new HealthSaver(options.registry);
    this.#leadership = new Leadership(options.registry, options.now);
    this.#alarm = new RegistryAlarm(options, this.#leadership);
    this.#reporter = new Reporter({
      ...options,
      signal: this.#abort.signal,
      onTaken: () => this.#alarm.reported(),
      onRefused: (error) => this.#alarm.reportFailed(error),
    });
  }

  /** Whoever drains from now on waits for this front; pictures come when there are any. */
  async start(): Promise<void> {
    const { registry, onRecalled, log } = this.#options;
    await this.report(); // before the first picture is read: a drain that begins in between waits for us
    try {
      onRecalled(await registry.health());
    } catch (error) {
      log.debug({ err: error }, 'no health from an earlier run');
    }
    registry.watch(
      { changed: (snapshot) => void this.#changed(snapshot), failed: (error) => this.#alarm.readFailed(error) },
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
    this.#alarm.read();
    if (!supersedes(picture, this.#seen, this.#options.log)) return;
    this.#seen = picture;
    this.#options.onPicture(picture);
  }

  async #beat(): Promise<void> {
    await this.report();
    if (!this.#abort.signal.aborted) await this.#health.flush();
    const leading = await this.#leadership.ask();
    if (this.#abort.signal.aborted) return;
    this.#alarm.look();
    await this.#options.onBeat(leading);
  }
}
