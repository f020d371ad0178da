import { RegistryAlarm, type RegistryAlarmOptions } from '../registry/alarm.ts';
import { Leadership } from '../registry/leader.ts';
import type { ProxyRegistry, ProxyReport, Snapshot } from '../registry/registry.ts';
import { Reporter } from '../registry/reporter.ts';
import { supersedes } from '../registry/supersedes.ts';
import type { Fleet } from './fleet.ts';
import { MemoryKeeper } from './memory-keeper.ts';
import { SampleKeeper } from './sample-keeper.ts';

const HEARTBEAT_MS = 1_000;

export interface RegistryLinkOptions extends RegistryAlarmOptions {
  readonly registry: ProxyRegistry;
  readonly fleet: Fleet;
  /** Whether this load balancer speaks for all that use the registry. Called with every heartbeat; never rejects. */
  readonly onLeading: (leading: boolean) => Promise<void> | void;
  /** Other nodes are away than before, or back; called before the picture that says so is in force. */
  readonly onAway?: (nodes: ReadonlySet<string>) => void;
}

/**
 * Keeps the fleet true to the registry and tells the registry what is in force: the data plane's half of the
 * acknowledged drain. Whatever happens to the registry, the last good picture stays in force.
 */
export class RegistryLink {
  /** What is known of the instances beyond the picture. */
  readonly memory: MemoryKeeper;
  readonly #samples: SampleKeeper;
  readonly #options: RegistryLinkOptions;
  readonly #abort = new AbortController();
  readonly #leadership: Leadership;
  readonly #alarm: RegistryAlarm;
  readonly #reporter: Reporter;
  #heartbeat: NodeJS.Timeout | null = null;
  #applied: Snapshot | null = null;
  /** A picture came that could not be applied; the registry will not tell of it again. */
  #missed = false;
  #isRetiring = false;
  #firstPicture = Promise.withResolvers<void>();

  constructor(options: RegistryLinkOptions) {
    this.#options = options;
    this.memory = new MemoryKeeper(options);
    this.#samples = new SampleKeeper(options);
    this.#leadership = new Leadership(options.registry, options.now);
    this.#alarm = new RegistryAlarm(options, this.#leadership);
    this.#reporter = new Reporter({
      ...options,
      report: () => this.#state(),
      signal: this.#abort.signal,
      onTaken: () => this.#alarm.reported(),
      onRefused: (error) => this.#alarm.reportFailed(error),
    });
  }

  get appliedRevision(): number | null {
    return this.#applied?.revision ?? null;
  }

  /** Whether the registry can be read, and takes this load balancer's reports. */
  get available(): boolean {
    return this.#alarm.isAvailable;
  }

  /**
   * Resolves when the first picture is in force, or the registry turned out to be unavailable.
   * @param onRecalled - called when the fleet knows what is remembered, before it gets anything from the registry.
   */
  async start(onRecalled: () => void = () => {}): Promise<void> {
    // Our row must exist before our first picture is read: a drain that begins in between waits for us.
    await this.#reporter.tell();
    await this.memory.recall();
    onRecalled();
    this.#options.registry.watch(
      { changed: (snapshot) => void this.#changed(snapshot), failed: (error) => this.#failed(error) },
      this.#abort.signal,
    );
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS);
    await this.#firstPicture.promise;
  }

  /** Something that the manager waits for has changed: tell it now rather than with the next heartbeat. */
  reportSoon(): void {
    void this.#reporter.tell();
  }

  /** Another load balancer speaks for all from now on. */
  async stepBack(): Promise<void> {
    this.#isRetiring = true; // the successor may have another registry, and cannot be seen from here
    this.memory.retire();
    this.#options.registry.stepBack();
    await this.#reporter.tell();
  }

  /** Nobody is served any more: drains need not wait for this load balancer. */
  async stop(): Promise<void> {
    this.#abort.abort();
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    await this.#reporter.settled();
    await this.memory.saveLatencies();
    await this.#samples.finish();
    try {
      await this.#options.registry.withdraw();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'could not withdraw from the registry; the row expires by itself');
    }
    await this.#options.registry.close();
  }

  async #changed(snapshot: Snapshot): Promise<void> {
    const picture = await this.#fresh(snapshot);
    if (picture === null || this.#abort.signal.aborted) return;
    this.#alarm.read();
    try {
      this.#apply(picture);
    } catch (error) {
      const { revision } = picture;
      this.#options.log.error({ err: error, revision }, 'a picture of the registry could not be applied');
      this.#missed = true;
    }
    this.#firstPicture.resolve();
    await this.#reporter.tellPicture();
  }

  #apply(picture: Snapshot): void {
    const { fleet, log } = this.#options;
    if (!supersedes(picture, this.#applied, log)) return;
    if (String(picture.away) !== String(this.#applied?.away)) this.#options.onAway?.(new Set(picture.away));
    fleet.apply(picture.instances, picture.services);
    this.#applied = picture;
  }

  async #fresh(snapshot: Snapshot): Promise<Snapshot | null> {
    this.#missed = false;
    if (this.#abort.signal.aborted) return null;
    try {
      return await this.#reporter.upToDate(snapshot);
    } catch (error) {
      this.#options.log.debug({ err: error }, 'announced to nobody; the next heartbeat tries again');
      this.#missed = true;
      return snapshot;
    }
  }

  #failed(error: unknown): void {
    this.#firstPicture.resolve();
    this.#alarm.readFailed(error);
  }

  async #beat(): Promise<void> {
    await this.#reporter.tell();
    await this.memory.beat();
    const leading = await this.#isLeading();
    if (this.#abort.signal.aborted) return;
    this.#alarm.look();
    await this.#options.onLeading(leading);
    await this.#samples.beat();
  }

  async #isLeading(): Promise<boolean> {
    if (this.#missed) {
      const picture = await this.#options.registry.snapshot().catch(() => null);
      if (picture !== null) await this.#changed(picture);
    }
    return (await this.#leadership.ask()) && !this.#isRetiring;
  }

  #state(): ProxyReport {
    const { fleet } = this.#options;
    return {
      appliedRevision: this.appliedRevision,
      inFlight: fleet.drainingInFlight(),
      traffic: fleet.traffic(),
      demand: fleet.demand(),
    };
  }
}
