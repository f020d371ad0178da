import { HEARTBEAT_LIMIT_MS, type ProxyRegistry, type ProxyReport, type Snapshot } from './registry.ts';

interface ReporterOptions {
  readonly registry: Pick<ProxyRegistry, 'report' | 'snapshot'>;
  /** What is in force. */
  readonly report: () => ProxyReport;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** No report is begun any more. */
  readonly signal: AbortSignal;
  readonly onTaken: () => void;
  readonly onRefused: (error: unknown) => void;
}

/** Between two reports of pictures in a storm of changes, in milliseconds: what is in force is told of several together. */
const PAUSE_MS = 100;
/** What is saved up of that while there is no storm: a few pictures are told one by one. */
const SAVED_UP_MS = 400;

/** Tells the registry what is in force in a load balancer: what drains wait for. */
export class Reporter {
  readonly #options: ReporterOptions;
  /** When the registry last took a report, in epoch milliseconds. */
  #takenAt = 0;
  #running: Promise<void> | null = null;
  #again = false;
  /** When the pauses of all reports of pictures so far are over; `performance.now()`. */
  #evenAt = 0;
  #later: NodeJS.Timeout | null = null;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** One report at a time; what changes meanwhile goes into the next. Never rejects. */
  tell(): Promise<void> {
    this.#cancel();
    this.#again = true;
    this.#running ??= this.#tellAll();
    return this.#running;
  }

  /** A picture is in force: it is told at once, but in a storm of them. Never rejects. */
  async tellPicture(): Promise<void> {
    const now = performance.now();
    const wait = this.#evenAt - now - SAVED_UP_MS;
    if (wait > 0) {
      this.#later ??= setTimeout(() => void this.tellPicture(), wait).unref();
      return;
    }
    this.#evenAt = Math.max(this.#evenAt, now) + PAUSE_MS;
    await this.tell();
  }

  /** Resolves when no report is under way, or to come. */
  async settled(): Promise<void> {
    this.#cancel();
    await this.#running;
  }

  /**
   * A manager that took us for dead may have gone on without us: then we announce ourselves first, and read again.
   * @throws what the registry rejects with. The picture at hand is still better than what is in force.
   */
  async upToDate(snapshot: Snapshot): Promise<Snapshot> {
    const { registry, report, now } = this.#options;
    if (now() - this.#takenAt < HEARTBEAT_LIMIT_MS) return snapshot;
    await registry.report(report());
    this.#takenAt = now();
    return registry.snapshot();
  }

  async #tellAll(): Promise<void> {
    try {
      while (this.#again && !this.#options.signal.aborted) await this.#tellOnce();
    } finally {
      this.#running = null; // at the moment of the last look: nothing that comes later passes for told
    }
  }

  async #tellOnce(): Promise<void> {
    const { registry, report, now, onTaken, onRefused } = this.#options;
    this.#again = false;
    try {
      await registry.report(report());
      this.#takenAt = now();
      onTaken();
    } catch (error) {
      onRefused(error);
    }
  }

  #cancel(): void {
    if (this.#later !== null) clearTimeout(this.#later);
    this.#later = null;
  }
}
