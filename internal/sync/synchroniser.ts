import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../pkg/clock/clock.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { messageOf } from '../model/errors.ts';
import type { ProxyReport } from '../registry/registry.ts';
import { type Front, FrontError } from './front.ts';
import { drainingOf, type Picture } from './picture.ts';

/** Between two looks at what runs on draining servers, in milliseconds; longer where a look takes long: a tenth of the time at most. */
const DRAIN_POLL_MS = 100;
const PAUSE_PER_LOOK = 9;
/** What a front did not take is tried again after the first of these, then after twice as long, up to the second. */
const RETRY_MS = { first: 1_000, longest: 30_000 };
/** What the front has refused for so long is more than a short restart: people are told. */
const PATIENCE_MS = 5_000;

export interface SynchroniserOptions {
  readonly front: Front;
  /** What should be in force; null: not known yet. */
  readonly picture: () => Picture | null;
  /** What `report` says has changed. */
  readonly onReport: () => void;
  /** The front does not take over what it should, and why; null: it does again. */
  readonly onBehind: (why: string | null) => void;
  /** What people should know of what is in force has changed. */
  readonly onWarned: (warnings: readonly string[]) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Failure {
  readonly picture: Picture;
  readonly message: string;
  readonly waitMs: number;
  /** Since when the front has taken nothing, and when it is asked again; in milliseconds of `clock.monotonic()`. */
  readonly since: number;
  readonly retryAt: number;
}

/**
 * Brings one picture after the other into force in a front, at the front's pace: of a burst of changes the last one counts.
 * What the front does not take is tried again, and at once when the picture changes.
 */
export class Synchroniser {
  readonly #options: SynchroniserOptions;
  readonly #abort = new AbortController();
  #running: Promise<void> | null = null;
  #wanted = false;
  #cancelTimer: () => void = () => {};
  #inForce: Picture | null = null;
  /** It was undone by somebody else. */
  #undone = false;
  #looking = false;
  /** In milliseconds of `clock.monotonic()`. */
  #changedAt = Number.NEGATIVE_INFINITY;
  #failure: Failure | null = null;
  #warned: readonly string[] = [];
  #inFlight: ReadonlyMap<string, number> = new Map();
  #counting: NodeJS.Timeout | null = null;
  /** How long the last look took. */
  #countMs = 0;

  constructor(options: SynchroniserOptions) {
    this.#options = options;
  }

  /** What drains wait for. */
  get report(): ProxyReport {
    return { appliedRevision: this.#inForce?.revision ?? null, inFlight: this.#inFlight };
  }

  /** The picture may be another one. */
  changed(): void {
    if (this.#abort.signal.aborted) return;
    this.#wanted = true;
    this.#cancelTimer();
    this.#running ??= this.#run();
  }

  /** Finds out whether somebody else has undone what is in force; to be called about once a second. Never rejects. */
  async look(): Promise<void> {
    if (this.#looking || this.#running !== null || this.#inForce === null) return;
    this.#looking = true;
    const isCurrent = await this.#options.front.isCurrent().catch(() => false);
    this.#looking = false;
    if (isCurrent) return;
    this.#undone = true;
    this.changed();
  }

  /** Finishes what is under way. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#cancelTimer();
    if (this.#counting !== null) clearTimeout(this.#counting);
    await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // what else changes at this moment goes along
    try {
      while (this.#wanted && !this.#abort.signal.aborted) {
        this.#wanted = false;
        await this.#bring(this.#options.picture());
      }
    } finally {
      this.#running = null; // at the moment of the last look: nothing that comes later passes for seen
    }
  }

  async #bring(picture: Picture | null): Promise<void> {
    if (picture === null || (!this.#undone && isDeepStrictEqual(picture, this.#inForce))) return;
    const waitMs = this.#dueAt(picture) - this.#options.clock.monotonic();
    if (waitMs > 0) this.#tryIn(waitMs);
    else await this.#apply(picture);
  }

  #dueAt(picture: Picture): number {
    const paced = this.#changedAt + this.#options.front.paceMs;
    const failure = this.#failure;
    return failure !== null && isDeepStrictEqual(failure.picture, picture) ? Math.max(paced, failure.retryAt) : paced;
  }

  #tryIn(delayMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(delayMs, () => this.changed(), true);
  }

  async #apply(picture: Picture): Promise<void> {
    const { front, clock, log, onBehind } = this.#options;
    const startedAt = clock.monotonic();
    try {
      const { changed, warnings } = await front.apply(picture, this.#abort.signal);
      if (changed) this.#changedAt = startedAt;
      if (changed || this.#failure !== null)
        log.info(countsOf(picture), `${front.name} has revision ${picture.revision}`);
      this.#warn(warnings);
    } catch (error) {
      this.#changedAt = startedAt;
      this.#failed(picture, error, startedAt);
      return;
    }
    if (this.#failure !== null) onBehind(null);
    this.#failure = null;
    this.#undone = false;
    // Counted before it is told that the picture is in force: a drain must not end in between.
    const counts = await this.#count(picture);
    this.#inForce = picture;
    this.#inFlight = counts;
    this.#countOn();
    this.#options.onReport();
  }

  #warn(warnings: readonly string[]): void {
    if (isDeepStrictEqual(warnings, this.#warned)) return;
    const { log, onWarned } = this.#options;
    for (const warning of warnings) if (!this.#warned.includes(warning)) log.error(warning);
    this.#warned = warnings;
    onWarned(warnings);
  }

  #failed(picture: Picture, error: unknown, startedAt: number): void {
    if (this.#abort.signal.aborted) return;
    const { front, clock, log, onBehind } = this.#options;
    const before = this.#failure;
    const waitMs = before === null ? RETRY_MS.first : Math.min(2 * before.waitMs, RETRY_MS.longest);
    const message = messageOf(error);
    const now = clock.monotonic();
    const since = before?.since ?? startedAt;
    this.#failure = { picture, message, waitMs, since, retryAt: now + waitMs };
    if (now - since >= PATIENCE_MS) onBehind(message);
    const detail = error instanceof FrontError ? {} : { err: error };
    const told = `${front.name} did not take revision ${picture.revision}, and goes on as before: ${message}`;
    log[message === before?.message ? 'debug' : 'error']({ revision: picture.revision, ...detail }, told);
    this.#tryIn(waitMs);
  }

  async #count(picture: Picture): Promise<ReadonlyMap<string, number>> {
    const draining = drainingOf(picture);
    if (draining.length === 0) return new Map();
    const startedAt = this.#options.clock.monotonic();
    try {
      return await this.#options.front.inFlight(draining);
    } catch (error) {
      this.#options.log.warn({ err: error }, `what runs on draining servers cannot be told: ${messageOf(error)}`);
      return new Map(draining.map(({ id }) => [id, 1]));
    } finally {
      this.#countMs = this.#options.clock.monotonic() - startedAt;
    }
  }

  #countOn(): void {
    const isDraining = this.#inForce !== null && drainingOf(this.#inForce).length > 0;
    if (this.#counting !== null) clearTimeout(this.#counting);
    const pauseMs = Math.max(DRAIN_POLL_MS, PAUSE_PER_LOOK * this.#countMs);
    this.#counting = isDraining && !this.#abort.signal.aborted ? setTimeout(() => void this.#recount(), pauseMs) : null;
  }

  async #recount(): Promise<void> {
    const picture = this.#inForce;
    if (picture === null) return;
    const counts = await this.#count(picture);
    if (this.#inForce !== picture) return; // a newer one has its own counts
    const isSame = isDeepStrictEqual(counts, this.#inFlight);
    this.#inFlight = counts;
    this.#countOn();
    if (!isSame) this.#options.onReport();
  }
}

function countsOf({ services }: Picture) {
  return {
    servers: Object.fromEntries(
      services.map(({ name, servers }) => {
        const count = (wanted: string) => servers.filter(({ state }) => state === wanted).length;
        return [name, { up: count('up'), down: count('down'), draining: count('draining') }];
      }),
    ),
  };
}
