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

/** Tells the registry what is in force in a load balancer: what drains wait for. */
export class Reporter {
  readonly #options: ReporterOptions;
  /** When the registry last took a report, in epoch milliseconds. */
  #takenAt = 0;
  #running: Promise<void> | null = null;
  #again = false;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** One report at a time; what changes meanwhile goes into the next. Never rejects. */
  tell(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#tellAll().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Resolves when no report is under way. */
  async settled(): Promise<void> {
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
    const { registry, report, now, signal, onTaken, onRefused } = this.#options;
    while (this.#again && !signal.aborted) {
      this.#again = false;
      try {
        await registry.report(report());
        this.#takenAt = now();
        onTaken();
      } catch (error) {
        onRefused(error);
      }
    }
  }
}
