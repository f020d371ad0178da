import type { Clock } from '../../pkg/clock/clock.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { HealthMonitor } from '../health/monitor.ts';
import { startProbe, type StartProbe } from '../health/probe.ts';
import { authority } from '../model/address.ts';
import { messageOf } from '../model/errors.ts';
import type { SignOfLife } from '../registry/signs-of-life.ts';
import { AnnouncedApp } from './announced-app.ts';
import { type Announcer, AnnouncementRefused } from './announcer.ts';
import { backoffMs } from './backoff.ts';
import type { AppSettings } from './settings.ts';

/** How long nobody may take our calls before a drain is given up, in milliseconds: by then the instances have expired. */
const GIVE_UP_MS = 10_000;
/** Between two lines about the same trouble, in milliseconds. */
const REMINDER_MS = 60_000;

export interface AgentOptions {
  readonly apps: readonly AppSettings[];
  readonly announcer: Announcer;
  readonly clock: Clock;
  /** In [0, 1), as `Math.random`. */
  readonly random: () => number;
  readonly log: Logger;
  /** Default: real ones. */
  readonly startProbe?: StartProbe;
}

/**
 * Probes apps of this host and keeps those that are healthy announced. What goes down is told at once, what comes up as well.
 * Nothing that managers or apps do ends it.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #apps: readonly AnnouncedApp[];
  readonly #monitor: HealthMonitor;
  #isStopping = false;
  #running: Promise<void> = Promise.resolve();
  #present: Pause | null = null;
  /** Something has changed that is to be told. */
  #hasNews = false;
  /** Calls in a row that nobody took. */
  #failures = 0;
  /** When a call was taken last, and when a trouble was told last; by the monotonic clock. */
  #heardAt: number;
  #toldAt = Number.NEGATIVE_INFINITY;
  /** The trouble that was told last. */
  #told = '';

  constructor(options: AgentOptions) {
    const { apps, clock, random, log } = options;
    this.#options = options;
    this.#apps = apps.map((settings) => new AnnouncedApp(settings));
    this.#heardAt = clock.monotonic();
    this.#monitor = new HealthMonitor({
      startProbe: options.startProbe ?? startProbe,
      clock,
      random,
      log: log.child({ subsystem: 'health' }),
      onTransition: ({ id, to, cause }) => this.#probed(id, to === 'healthy', cause),
    });
  }

  start(): void {
    const targets = this.#apps.map(({ name, settings: { host = '127.0.0.1', port, healthCheck: check } }) => {
      return [name, { host, port, check, incarnation: name }] as const;
    });
    this.#monitor.set(new Map(targets));
    this.#running = this.#run();
  }

  /** Announces what somebody has removed again. */
  readmit(): void {
    for (const app of this.#apps) {
      if (app.isRemoved) this.#options.log.info({ app: app.name }, `${app.name} is announced again`);
      app.isRemoved = false;
    }
    this.#nudge();
  }

  /**
   * Takes all apps out of rotation, and resolves when no request is on its way to them.
   * @throws when nobody takes the call: the instances expire by themselves then.
   */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#present?.end();
    await this.#running;
    try {
      await this.#withdraw();
    } finally {
      this.#monitor.stop();
      await this.#options.announcer.close();
    }
  }

  #probed(name: string, isUp: boolean, cause: string): void {
    const app = this.#apps.find((each) => each.name === name);
    if (app === undefined) return;
    app.isUp = isUp;
    app.cause = cause;
    this.#nudge();
  }

  #nudge(): void {
    this.#hasNews = true;
    if (this.#present?.heedsNews === true) this.#present.end();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { announcer, random, log } = this.#options;
    while (!this.#isStopping) {
      this.#hasNews = false;
      try {
        await this.#round();
        if (this.#failures > 0) log.info({ at: announcer.place }, `${announcer.place} answers again`);
        this.#failures = 0;
      } catch (error) {
        this.#failures += 1;
        this.#complain(error);
      }
      if (this.#isStopping) return;
      // News waits as well while nobody takes our calls.
      if (this.#failures > 0) await this.#pause(backoffMs(this.#failures, random), false);
      else await this.#pause(this.#untilNext(), true);
    }
  }

  /** Tells all there is to tell. @throws when nobody takes the calls. */
  async #round(): Promise<void> {
    await this.#beat();
    const now = this.#options.clock.monotonic();
    for (const app of this.#apps) {
      if (app.isWanted && app.notBefore <= now && !this.#isStopping) await this.#announce(app);
    }
  }

  async #beat(): Promise<void> {
    const { announcer, log } = this.#options;
    const signs = this.#signs();
    if (signs.length === 0) return;
    const { unknown, removed } = await announcer.beat(signs);
    this.#heard();
    for (const app of this.#apps) {
      if (app.id === null) continue;
      if (removed.includes(app.id)) {
        log.warn({ app: app.name, instance: app.id }, `${app.id} was removed: it stays out until SIGHUP or a restart`);
        app.isRemoved = true;
        app.id = null;
      } else if (unknown.includes(app.id)) {
        log.info({ app: app.name, instance: app.id }, `${app.id} is not known any more`);
        app.id = null;
      }
    }
  }

  async #announce(app: AnnouncedApp): Promise<void> {
    const { announcer, clock, random, log } = this.#options;
    try {
      const { id, host } = await announcer.announce(app.settings);
      app.taken(id);
      const place = authority(host, app.settings.port);
      const words = `${app.name} is announced to ${announcer.place} as ${id}, reached at ${place}`;
      log.info({ app: app.name, instance: id }, words);
    } catch (error) {
      if (!(error instanceof AnnouncementRefused)) throw error;
      app.refusals += 1;
      app.notBefore = clock.monotonic() + backoffMs(app.refusals, random);
      if (app.refusal !== error.message) log.error({ app: app.name }, `${app.name} is not taken: ${error.message}`);
      app.refusal = error.message;
    }
    this.#heard();
  }

  #signs(): SignOfLife[] {
    return this.#apps.flatMap(({ id, isUp, cause }) => (id === null ? [] : [{ id, isUp: isUp !== false, cause }]));
  }

  async #withdraw(): Promise<void> {
    const { announcer, log, random, clock } = this.#options;
    const ids = this.#signs().map(({ id }) => id);
    if (ids.length === 0) return;
    log.info({ instances: ids }, `${ids.join(', ')}: no new requests; those in flight finish`);
    const done = new AbortController();
    const beating = this.#beatOn(done);
    try {
      for (let failures = 1; ; failures += 1) {
        try {
          await announcer.withdraw(ids, done.signal);
          break;
        } catch (error) {
          const silent = clock.monotonic() - this.#heardAt;
          if (done.signal.aborted || error instanceof AnnouncementRefused || silent > GIVE_UP_MS) throw error;
          await new Promise<void>((resolve) => clock.after(backoffMs(failures, random), resolve, true));
        }
      }
      log.info({ instances: ids }, `${ids.join(', ')}: out of rotation, no request is left`);
    } catch (error) {
      const message = `${ids.join(', ')} could not be taken out of rotation, and ends by itself in some seconds`;
      throw new Error(`${message}: ${messageOf(error)}`, { cause: error });
    } finally {
      done.abort();
      await beating;
    }
  }

  /** Signs of life as long as the drain goes on; ends it when nobody has heard us for too long. Never rejects. */
  async #beatOn(done: AbortController): Promise<void> {
    const { announcer, clock } = this.#options;
    done.signal.addEventListener('abort', () => this.#present?.end(), { once: true });
    while (!done.signal.aborted) {
      await this.#pause(announcer.intervalMs, false);
      if (done.signal.aborted) return;
      try {
        await announcer.beat(this.#signs());
        this.#heard();
      } catch (error) {
        if (clock.monotonic() - this.#heardAt > GIVE_UP_MS) done.abort(error);
      }
    }
  }

  #heard(): void {
    this.#heardAt = this.#options.clock.monotonic();
  }

  /** Once, and then now and then, or when the reason is another one. */
  #complain(error: unknown): void {
    const { clock, log } = this.#options;
    const now = clock.monotonic();
    const reason = messageOf(error);
    if (this.#failures > 1 && reason === this.#told && now - this.#toldAt < REMINDER_MS) return;
    this.#toldAt = now;
    this.#told = reason;
    log.warn({ reason }, 'nobody takes the announcements; trying again');
  }

  /** Milliseconds: to the next sign of life, or to the next try of an app that was refused. */
  #untilNext(): number {
    const { announcer, clock } = this.#options;
    const now = clock.monotonic();
    const tries = this.#apps.filter(({ isWanted }) => isWanted).map(({ notBefore }) => notBefore - now);
    return Math.max(0, Math.min(announcer.intervalMs, ...tries));
  }

  /** Ends early when the agent is to stop. @param heedsNews - or when there are news. */
  async #pause(ms: number, heedsNews: boolean): Promise<void> {
    if (heedsNews && this.#hasNews) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(ms, resolve, true);
      const end = () => {
        cancel();
        resolve();
      };
      this.#present = { end, heedsNews };
    });
    this.#present = null;
  }
}

/** A wait of the agent. */
interface Pause {
  readonly end: () => void;
  readonly heedsNews: boolean;
}
