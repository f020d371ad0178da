import type { Alert, AlertSink } from '../../pkg/alerts/alert.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { messageOf } from '../model/errors.ts';
import {
  HEARTBEAT_LIMIT_MS,
  isAlive,
  type ProxyRecord,
  type ProxyRegistry,
  type ProxyReport,
  type Snapshot,
} from '../registry/registry.ts';
import { Reporter } from '../registry/reporter.ts';
import { supersedes } from '../registry/supersedes.ts';
import type { Fleet } from './fleet.ts';
import { MemoryKeeper } from './memory-keeper.ts';
import { SampleKeeper } from './sample-keeper.ts';

const HEARTBEAT_MS = 1_000;
/**
 * For so long only the load balancer that spoke last tells of anything while the registry is away, in milliseconds; then all do, as it
 * may be gone, too.
 */
const SILENCE_MS = 300_000;
const UNAVAILABLE_KEY = 'registry-unavailable';
const READ_ONLY_KEY = 'registry-read-only';

export interface RegistryLinkOptions {
  readonly registry: ProxyRegistry;
  readonly fleet: Fleet;
  readonly alerts: AlertSink;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
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
  readonly #reporter: Reporter;
  #heartbeat: NodeJS.Timeout | null = null;
  #applied: Snapshot | null = null;
  /** When the registry began to refuse reports, in epoch milliseconds. */
  #refusedSince: number | null = null;
  /** Refused for so long that people were told. */
  #readOnly = false;
  #available = true;
  /** Since when nobody could be asked who speaks for all; epoch milliseconds. */
  #unaskedSince: number | null = null;
  /** Whether this one did when somebody could; null: nobody ever could. */
  #wasLeading: boolean | null = null;
  /** What people are told when this load balancer is to speak; by key. */
  readonly #untold = new Map<string, Alert>();
  /** A picture came that could not be applied; the registry will not tell of it again. */
  #missed = false;
  #isRetiring = false;
  #firstPicture = Promise.withResolvers<void>();

  constructor(options: RegistryLinkOptions) {
    this.#options = options;
    this.memory = new MemoryKeeper(options);
    this.#samples = new SampleKeeper(options);
    this.#reporter = new Reporter({
      ...options,
      report: () => this.#state(),
      signal: this.#abort.signal,
      onTaken: () => this.#reportTaken(),
      onRefused: (error) => this.#reportRefused(error),
    });
  }

  get appliedRevision(): number | null {
    return this.#applied?.revision ?? null;
  }

  /** Whether the registry can be read, and takes this load balancer's reports. */
  get available(): boolean {
    return this.#available && !this.#readOnly;
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
    const { alerts, log, now } = this.#options;
    if (!this.#available) {
      this.#available = true;
      this.#untold.delete(UNAVAILABLE_KEY);
      alerts.resolve(UNAVAILABLE_KEY, now());
      log.info('the registry is back');
    }
    try {
      this.#apply(picture);
    } catch (error) {
      log.error({ err: error, revision: picture.revision }, 'a picture of the registry could not be applied');
      this.#missed = true;
    }
    this.#firstPicture.resolve();
    await this.#reporter.tell();
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
    if (!this.#available) return;
    this.#available = false;
    const { log, now } = this.#options;
    log.error({ err: error }, 'the registry cannot be read; the last picture stays in force');
    this.#unaskedSince ??= now();
    this.#tell({
      key: UNAVAILABLE_KEY,
      severity: 'critical',
      title: 'The registry cannot be read',
      cause: `${messageOf(error)}. Traffic goes on over the instances known so far; changes are not noticed.`,
      at: now(),
    });
  }

  async #beat(): Promise<void> {
    await this.#reporter.tell();
    await this.memory.beat();
    const leading = await this.#isLeading();
    if (this.#abort.signal.aborted) return;
    if (leading) this.#tellUntold();
    await this.#options.onLeading(leading);
    await this.#samples.beat();
  }

  async #isLeading(): Promise<boolean> {
    const { registry, now } = this.#options;
    try {
      if (this.#missed) await this.#changed(await registry.snapshot());
      this.#wasLeading = isLeader(registry.proxyId, await registry.proxies(), now());
      this.#unaskedSince = null;
      return !this.#isRetiring && this.#wasLeading;
    } catch {
      this.#unaskedSince ??= now();
      return !this.#isRetiring && this.#speaksUnasked;
    }
  }

  /** Nobody can be asked who speaks: whoever did last goes on. Where that is not known, better twice than never. */
  get #speaksUnasked(): boolean {
    const since = this.#unaskedSince ?? this.#options.now();
    return this.#wasLeading !== false || this.#options.now() - since > SILENCE_MS;
  }

  /** The registry is everybody's: of the load balancers that miss it, one tells. */
  #tell(alert: Alert): void {
    this.#untold.set(alert.key, alert);
    if (this.#speaksUnasked) this.#tellUntold();
  }

  #tellUntold(): void {
    for (const alert of this.#untold.values()) this.#options.alerts.raise(alert);
    this.#untold.clear();
  }

  #reportTaken(): void {
    const { alerts, log, now } = this.#options;
    this.#refusedSince = null;
    if (!this.#readOnly) return;
    this.#readOnly = false;
    this.#untold.delete(READ_ONLY_KEY);
    alerts.resolve(READ_ONLY_KEY, now());
    log.info('the registry takes reports again');
  }

  /** A short lock is nothing to tell; one that outlasts the heartbeat makes the manager take us for dead. */
  #reportRefused(error: unknown): void {
    const { log, now } = this.#options;
    log.debug({ err: error }, 'the registry took no report; the next heartbeat tries again');
    this.#refusedSince ??= now();
    if (this.#readOnly || !this.#available || now() - this.#refusedSince <= HEARTBEAT_LIMIT_MS) return;
    this.#readOnly = true;
    log.error({ err: error }, 'the registry takes no reports; drains do not wait for this load balancer');
    this.#tell({
      key: READ_ONLY_KEY,
      severity: 'critical',
      title: 'The registry cannot be written',
      cause: `${messageOf(error)}. Traffic goes on; removing an instance may lose requests.`,
      at: now(),
    });
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

/** The load balancer that has been alive the longest. @param proxies - as the registry tells of them. */
export function isLeader(proxyId: string, proxies: readonly ProxyRecord[], now: number): boolean {
  const first = proxies.find((proxy) => isAlive(proxy, now));
  return first === undefined || first.id === proxyId;
}
