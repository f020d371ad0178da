import type { Clock } from '../../pkg/clock/clock.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { ejectable, ejectionMs, type Suspect } from '../health/ejection.ts';
import { UsualWait } from '../health/hang.ts';
import { Conduct } from './conduct.ts';
import type { Fleet } from './fleet.ts';
import type { ServicePool } from './service-pool.ts';
import { failing, hanging, worse } from './suspects.ts';
import { Trial } from './trial.ts';
import type { Upstream } from './upstream.ts';

/** Between two looks at what the requests have told, in milliseconds. */
const LOOK_MS = 250;

export interface EjectorOptions {
  readonly fleet: Fleet;
  readonly clock: Clock;
  /** Milliseconds of the monotonic clock that the threads measure by. */
  readonly now: () => number;
  /** In [0, 1), as `Math.random`. */
  readonly random: () => number;
  readonly log: Logger;
}

/** What is known of one pool besides its upstreams. */
interface PoolMemory {
  readonly usual: UsualWait;
  /** When the present interval began, in milliseconds of the monotonic clock. */
  since: number;
  /** How it was when a look found nothing under way and nobody to judge; null: there is something. */
  atRest: Trace | null;
}

/** What of a pool cannot stay the same when anything happens in it. */
interface Trace {
  readonly epoch: number;
  readonly picks: number;
}

/**
 * Judges upstreams by the requests of clients: four times a second, and at once when one fails again and again. What
 * fails, hangs, or is clearly worse than the others is ejected for some time, then tried out by a request now and then.
 * Of the main thread alone; the threads only count.
 */
export class Ejector {
  readonly #options: EjectorOptions;
  readonly #pools = new WeakMap<ServicePool, PoolMemory>();
  readonly #conducts = new WeakMap<Upstream, Conduct>();
  #cancelTimer: (() => void) | null = null;
  #soon = false;

  constructor(options: EjectorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancelTimer = this.#options.clock.after(LOOK_MS, () => {
      this.start();
      this.#look();
    });
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  /** Somebody fails: now, but not while whoever tells so is busy. */
  lookSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    queueMicrotask(() => {
      this.#soon = false;
      if (this.#cancelTimer !== null) this.#look();
    });
  }

  #look(): void {
    const now = this.#options.now();
    for (const pool of this.#options.fleet.pools()) {
      if (this.#rests(pool, now)) continue;
      const ready = [...pool.upstreams()].filter(({ lifecycle }) => lifecycle === 'ready');
      const conducts = ready.map((upstream) => this.#conductOf(upstream));
      if (pool.service.outlierDetection.enabled) this.#judge(pool, conducts, now);
      else this.#pardon(pool, conducts);
    }
  }

  /** Whether a look would find what the last one has found: nothing to do. */
  #rests(pool: ServicePool, now: number): boolean {
    const { atRest, since } = this.#memoryOf(pool, now);
    if (atRest === null || now - since >= pool.service.outlierDetection.interval) return false;
    const { epoch, picks } = traceOf(pool);
    return epoch === atRest.epoch && picks === atRest.picks;
  }

  #pardon(pool: ServicePool, ready: readonly Conduct[]): void {
    for (const conduct of ready) {
      if (conduct.upstream.standing !== 'in') this.#readmit(pool, conduct, 'it is switched off');
    }
  }

  #judge(pool: ServicePool, ready: readonly Conduct[], now: number): void {
    const { interval, hangAfter } = pool.service.outlierDetection;
    const memory = this.#memoryOf(pool, now);
    const trace = traceOf(pool); // before the look: what begins after this is seen by the next one
    const busy = ready.filter((conduct) => conduct.look());
    memory.usual.learn(Math.max(0, ...busy.map(({ upstream }) => upstream.takeSlowest())), now);
    const limitMs = hangAfter === null ? Number.POSITIVE_INFINITY : memory.usual.limit(hangAfter, now);
    for (const conduct of ready) {
      if (conduct.upstream.standing !== 'in') this.#goOn(pool, conduct, limitMs);
      else if (conduct.upstream.health !== 'healthy') conduct.upstream.judged(now); // its checks have the word
    }
    const serving = ready.filter(({ upstream }) => upstream.isFit);
    const suspects = [...failing(serving, pool.service, now), ...hanging(serving, memory.usual, limitMs, now)];
    if (now - memory.since >= interval) {
      suspects.push(...worse(serving, pool.service));
      this.#beginInterval(ready, suspects);
      memory.since = now;
    }
    this.#ejectSome(pool, ready, serving.length, suspects);
    const isQuiet = busy.length === 0 && suspects.length === 0;
    memory.atRest = isQuiet && ready.every(({ upstream }) => upstream.standing === 'in') ? trace : null;
  }

  #beginInterval(ready: readonly Conduct[], suspects: readonly Suspect<Conduct>[]): void {
    const suspected = new Set(suspects.map(({ who }) => who));
    for (const conduct of ready) {
      const isGood = conduct.upstream.standing === 'in' && !suspected.has(conduct);
      if (isGood) conduct.times = Math.max(0, conduct.times - 1);
      conduct.beginInterval();
    }
  }

  #ejectSome(
    pool: ServicePool,
    ready: readonly Conduct[],
    serving: number,
    suspects: readonly Suspect<Conduct>[],
  ): void {
    if (suspects.length === 0) return;
    const once = new Map<Conduct, Suspect<Conduct>>();
    for (const suspect of suspects) if (!once.has(suspect.who)) once.set(suspect.who, suspect);
    const ejected = ready.filter(({ upstream }) => upstream.standing !== 'in').length;
    const room = { size: ready.length, ejected, serving, share: pool.service.outlierDetection.maxEjected };
    for (const { who, cause } of ejectable([...once.values()], room)) this.#eject(pool, who, cause);
  }

  #eject(pool: ServicePool, conduct: Conduct, cause: string): void {
    const { fleet, clock, now, random, log } = this.#options;
    const { upstream } = conduct;
    conduct.times += 1;
    pool.ejections += 1;
    conduct.trial = null;
    conduct.wasDown = false;
    upstream.judged(now());
    upstream.trials = 0;
    const { times } = conduct;
    const since = clock.now();
    const until = Math.round(since + ejectionMs(times, pool.service.outlierDetection, random));
    fleet.judge(pool, upstream, 'ejected', { cause, since, until, times });
    const details = { service: pool.name, instance: upstream.id, until: new Date(until).toISOString(), times };
    log.warn(details, `instance is ejected: ${cause}`);
  }

  /** Of one that is ejected, or on trial. Checks that pass again after they have failed end the one, not the other. */
  #goOn(pool: ServicePool, conduct: Conduct, limitMs: number): void {
    const { upstream, trial } = conduct;
    const { ejection, health, standing } = upstream;
    if (health !== 'healthy') {
      conduct.wasDown = true;
      conduct.trial = null;
      if (standing === 'on-trial') this.#options.fleet.judge(pool, upstream, 'ejected', ejection);
    } else if (trial !== null) {
      this.#follow(pool, conduct, trial, limitMs);
    } else if (ejection === null || conduct.wasDown || this.#options.clock.now() >= ejection.until) {
      this.#tryOut(pool, conduct);
    }
  }

  #tryOut(pool: ServicePool, conduct: Conduct): void {
    const { fleet, now, log } = this.#options;
    const { upstream } = conduct;
    upstream.judged(now());
    conduct.wasDown = false;
    conduct.trial = new Trial(conduct.observed);
    upstream.trials = 1;
    fleet.judge(pool, upstream, 'on-trial', upstream.ejection);
    log.info({ service: pool.name, instance: upstream.id }, 'the ejected instance is tried out');
  }

  #follow(pool: ServicePool, conduct: Conduct, trial: Trial, limitMs: number): void {
    const { upstream, observed } = conduct;
    const verdict = trial.follow(observed, upstream.trials, this.#options.now(), limitMs);
    if (verdict === 'again') upstream.trials = 1;
    else if (verdict === 'passed') this.#readmit(pool, conduct, 'it answers again');
    else if (verdict !== 'wait') this.#eject(pool, conduct, `${verdict.failed}, after: ${firstCause(upstream)}`);
  }

  #readmit(pool: ServicePool, conduct: Conduct, cause: string): void {
    const { fleet, now, log } = this.#options;
    const { upstream } = conduct;
    conduct.trial = null;
    conduct.beginInterval();
    upstream.judged(now());
    upstream.trials = 0;
    fleet.judge(pool, upstream, 'in', null);
    log.info({ service: pool.name, instance: upstream.id }, `instance is ejected no more: ${cause}`);
  }

  #memoryOf(pool: ServicePool, now: number): PoolMemory {
    const memory = this.#pools.get(pool) ?? { usual: new UsualWait(), since: now, atRest: null };
    this.#pools.set(pool, memory);
    return memory;
  }

  #conductOf(upstream: Upstream): Conduct {
    const conduct = this.#conducts.get(upstream) ?? new Conduct(upstream);
    this.#conducts.set(upstream, conduct);
    return conduct;
  }
}

function traceOf(pool: ServicePool): Trace {
  const { state, pool: place } = pool.place;
  let picks = 0;
  for (const upstream of pool.upstreams()) picks += upstream.picks;
  return { epoch: state.epoch(place), picks };
}

/** Of the first of several ejections in a row. */
function firstCause({ ejection }: Upstream): string {
  return ejection?.cause.split(', after: ').at(-1) ?? 'unknown';
}
