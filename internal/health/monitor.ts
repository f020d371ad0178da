import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../pkg/clock/clock.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { messageOf } from '../model/errors.ts';
import type { Health } from '../model/health.ts';
import type { HealthCheck } from '../model/health-check.ts';
import { ConnectionKeeper } from './connection-keeper.ts';
import { fullyUp, isSettled, isUp, markDown, nextHealth, undecided } from './hysteresis.ts';
import type { ProbeResult, StartedProbe, StartProbe } from './probe.ts';
import type { ProbeTarget } from './probe-request.ts';
import { firstDelay, nextDelay, pace, sharedInstant } from './schedule.ts';
import { type Silence, silenceOf } from './silence.ts';
import { SharedTimers } from './shared-timers.ts';

export interface MonitorTarget extends ProbeTarget {
  readonly check: HealthCheck;
  /** Another one means another process: what was measured before says nothing about it. */
  readonly incarnation: string;
  /** Last known health of this incarnation, taken over when the target is new; only `healthy` and `unhealthy` carry over. */
  readonly initial?: Health;
}

export interface HealthChange {
  readonly id: string;
  readonly incarnation: string;
  readonly from: Health;
  readonly to: Health;
  /** In words: `passed (200 in 3 ms)`, `connect ECONNREFUSED`. */
  readonly cause: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A target that is down, and answers no check. */
export interface FallenSilent {
  readonly id: string;
  readonly incarnation: string;
  readonly silence: Silence;
  /** As of a `HealthChange`. */
  readonly cause: string;
}

export interface MonitorOptions {
  readonly startProbe: StartProbe;
  readonly clock: Clock;
  /** In [0, 1), as `Math.random`. */
  readonly random: () => number;
  /** Hears of every change but that of being added or removed; called in the middle of things, so it must not call `set`. */
  readonly onTransition: (change: HealthChange) => void;
  /** A check has found a target silent that is down, as its `rescue` asks for; once until it is up again. */
  readonly onSilent?: (silent: FallenSilent) => void;
  readonly log: Logger;
}

/** What is known of one target. Either its timer runs or its probe does, never both. */
interface Watch {
  readonly id: string;
  target: MonitorTarget;
  health: Health;
  /** See `nextHealth`. */
  counter: number;
  /** Taken down by a failed request and not yet confirmed by a probe. */
  reported: boolean;
  /** As was told since it was up. */
  silence: Silence | null;
  cancelTimer: () => void;
  isRunning: boolean;
  /** The running probe, or the last one. */
  probe: StartedProbe | null;
  /** The result of the running probe shall not count any more. */
  isOutdated: boolean;
  readonly keeper: ConnectionKeeper;
}

/** Probes a changing set of instances, each at its own pace and never twice at a time, and tells about every change of health. */
export class HealthMonitor {
  readonly #options: MonitorOptions;
  readonly #timers: SharedTimers;
  readonly #watches = new Map<string, Watch>();
  /** Those of which no result of the present incarnation has counted yet. */
  readonly #unprobed = new Set<Watch>();
  readonly #waiting: (() => void)[] = [];
  #stopped = false;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#timers = new SharedTimers(options.clock);
  }

  /** Makes `targets` the set that is probed, see `change`. */
  set(targets: ReadonlyMap<string, MonitorTarget>): void {
    const gone = [...this.#watches.keys()].filter((id) => !targets.has(id));
    this.change(targets, gone);
  }

  /**
   * Adds targets to the set that is probed, or brings them up to date, and takes others out; the rest stays as it is. Unchanged ones keep
   * their state and their timers; a new incarnation or address starts again as `unknown`; new check settings keep the
   * health. Whatever changed is probed at once.
   * @param gone - ids; one that is not in the set is no error.
   */
  change(targets: ReadonlyMap<string, MonitorTarget>, gone: readonly string[]): void {
    if (this.#stopped) return;
    for (const id of gone) this.#forget(id);
    const due: Watch[] = [];
    for (const [id, target] of targets) {
      const watch = this.#watches.get(id);
      if (!watch) due.push(this.#add(id, target));
      else if (this.#takeOver(watch, target)) due.push(watch);
    }
    const now = this.#options.clock.monotonic();
    for (const [index, watch] of due.entries()) {
      this.#restart(watch, now + firstDelay(index, due.length, watch.target.check.interval));
    }
    this.#settleRound();
  }

  /** A real request could not connect: the instance is down at once, and probed fast to find out whether it stays so. */
  reportFailure(id: string, cause: string): void {
    const watch = this.#watches.get(id);
    if (!watch) return;
    watch.counter = markDown();
    if (watch.health === 'unhealthy') return; // its next probe is on the way; many reports must not put it off
    watch.reported = true;
    this.#restart(watch, this.#nextStart(watch));
    this.#become(watch, 'unhealthy', cause);
  }

  /** `unknown` for whatever is not in the set. */
  health(id: string): Health {
    return this.#watches.get(id)?.health ?? 'unknown';
  }

  /** Resolves when each target of the present set has been probed at least once, or the monitor was stopped. */
  firstRound(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    this.#settleRound();
    return promise;
  }

  /** Final: running probes are aborted, and nothing is reported any more. */
  stop(): void {
    this.#stopped = true;
    for (const id of [...this.#watches.keys()]) this.#forget(id);
    this.#settleRound();
  }

  #add(id: string, target: MonitorTarget): Watch {
    const health: Health = target.initial === 'healthy' || target.initial === 'unhealthy' ? target.initial : 'unknown';
    const counter = counterOf(health, target.check);
    const watch: Watch = {
      id,
      target,
      health,
      counter,
      reported: false,
      silence: null,
      cancelTimer() {},
      isRunning: false,
      probe: null,
      isOutdated: false,
      keeper: new ConnectionKeeper(),
    };
    this.#watches.set(id, watch);
    this.#unprobed.add(watch);
    return watch;
  }

  /** Brings a watch up to date with its target; true when it is to be probed at once. */
  #takeOver(watch: Watch, target: MonitorTarget): boolean {
    const before = watch.target;
    const sameProcess =
      before.incarnation === target.incarnation && before.host === target.host && before.port === target.port;
    if (sameProcess && isDeepStrictEqual(before.check, target.check)) return false;
    watch.target = target;
    if (!sameProcess) {
      watch.reported = false;
      watch.silence = null;
      this.#unprobed.add(watch);
      this.#become(watch, 'unknown', 'another process');
    }
    watch.counter = counterOf(watch.health, target.check);
    return true;
  }

  #forget(id: string): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    this.#watches.delete(id);
    this.#unprobed.delete(watch);
    watch.cancelTimer();
    watch.probe?.abort();
    watch.keeper.close();
  }

  /**
   * A probe that is running is given up; the next one follows when it has ended, so that two never overlap.
   * @param at - in milliseconds of the monotonic clock.
   */
  #restart(watch: Watch, at: number): void {
    watch.keeper.close();
    if (!watch.isRunning) {
      this.#schedule(watch, at);
      return;
    }
    watch.isOutdated = true;
    watch.probe?.abort();
  }

  #schedule(watch: Watch, at: number): void {
    watch.cancelTimer();
    watch.cancelTimer = this.#timers.at(at, () => this.#run(watch));
  }

  #nextStart({ target, counter, reported }: Watch): number {
    const { clock, random } = this.#options;
    const { interval } = target.check;
    const settled = isSettled(counter, target.check) && !reported;
    const at = clock.monotonic() + nextDelay(interval, settled, random);
    return sharedInstant(at, pace(interval, settled), this.#watches.size);
  }

  #run(watch: Watch): void {
    const { id, target, counter, keeper } = watch;
    watch.isRunning = true;
    watch.isOutdated = false;
    // Unless all is well, whether the instance takes new connections is the question.
    if (counter !== fullyUp(target.check)) keeper.close();
    try {
      watch.probe = this.#options.startProbe(target, target.check, (result) => this.#ended(watch, result), keeper);
    } catch (error) {
      this.#options.log.error({ instance: id, err: error }, 'a health probe threw');
      this.#ended(watch, { passed: false, cause: messageOf(error), elapsedMs: 0 });
    }
  }

  #ended(watch: Watch, result: ProbeResult): void {
    watch.isRunning = false;
    if (this.#watches.get(watch.id) !== watch) return;
    const { isOutdated } = watch;
    if (!isOutdated) this.#count(watch, result);
    if (this.#stopped) return; // by whoever heard of a change just now
    this.#schedule(watch, isOutdated && !watch.reported ? this.#options.clock.monotonic() : this.#nextStart(watch));
    this.#settleRound();
  }

  #count(watch: Watch, { passed, cause }: ProbeResult): void {
    const { check } = watch.target;
    watch.counter = nextHealth(watch.counter, passed, check);
    watch.reported = false;
    this.#unprobed.delete(watch);
    this.#become(watch, isUp(watch.counter, check) ? 'healthy' : 'unhealthy', cause);
    if (watch.health === 'healthy') watch.silence = null;
    else if (!passed) this.#listen(watch, cause);
  }

  /** @param cause - of a check that has failed. */
  #listen(watch: Watch, cause: string): void {
    const { id, target } = watch;
    const silence = silenceOf(cause);
    if (silence === null || silence === watch.silence || watch.silence === 'host') return;
    if (target.check.rescue === 'never' || (target.check.rescue === 'unreachable' && silence === 'app')) return;
    watch.silence = silence;
    this.#tell(watch, () => this.#options.onSilent?.({ id, incarnation: target.incarnation, silence, cause }));
  }

  #become(watch: Watch, to: Health, cause: string): void {
    const from = watch.health;
    if (from === to) return;
    watch.health = to;
    const { log, clock, onTransition } = this.#options;
    const { id, target } = watch;
    log[to === 'unhealthy' ? 'warn' : 'info']({ instance: id, from, to, cause }, `instance is ${to}: ${cause}`);
    this.#tell(watch, () => onTransition({ id, incarnation: target.incarnation, from, to, cause, at: clock.now() }));
  }

  #tell({ id }: Watch, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#options.log.error({ instance: id, err: error }, 'a change of health could not be passed on');
    }
  }

  #settleRound(): void {
    if (this.#unprobed.size > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function counterOf(health: Health, check: HealthCheck): number {
  if (health === 'unknown') return undecided(check);
  return health === 'healthy' ? fullyUp(check) : markDown();
}
