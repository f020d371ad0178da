import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '../clock/clock.ts';
import { Agenda } from './agenda.ts';
import type { Alert, NotificationEntry } from './alert.ts';
import { type AlertControls, isSilenced } from './book.ts';
import { type AlertLog, type ChannelContext, DEFAULT_RETRY, type RetryPolicy } from './channel.ts';
import { Channels, type TestResult } from './channels.ts';
import { begun, type Condition, conditionOf, outageOf } from './condition.ts';
import type { Notifier } from './notifier.ts';
import { Outbox } from './outbox.ts';
import { renderTest } from './render.ts';
import type { AlertStore, Outage } from './store.ts';

/** How long a message of several conditions is collected, in milliseconds. */
const GROUP_WINDOW_MS = 10_000;
/** A condition is announced as firing at most once in this time, in milliseconds. */
const REPEAT_AFTER_MS = 300_000;
/** How often a condition may be announced per `repeatAfterMs`: a second outage is news, a fourth is flapping. */
const FREE_ANNOUNCEMENTS = 3;
const FLUSH_DEADLINE_MS = 5_000;

export interface AlertSettings {
  readonly groupWindowMs?: number;
  readonly repeatAfterMs?: number;
  readonly retry?: RetryPolicy;
}

export interface AlertDispatcherOptions extends AlertSettings {
  readonly notifiers: readonly Notifier[];
  readonly log: AlertLog;
  /** Keeps what must survive the process; without one nothing does. */
  readonly store?: AlertStore | undefined;
  readonly clock?: Clock;
  /** In [0, 1); jitter of the retries. */
  readonly random?: () => number;
}

/**
 * Turns conditions that begin and end into messages to people.
 *
 * - What changes within the group window becomes one message; what begins and ends in it is one entry.
 * - A condition that began again after its end was told is announced again, but at most three times per `repeatAfterMs`.
 *   One that flaps more waits, and is then told with its latest state and the number of its beginnings. One that is
 *   raised again while it fires is told again only after that time.
 * - The end of an announced condition is told within a group window, unless it began again in the meantime.
 * - What is silenced, or acknowledged, is not announced.
 * - Without channels nothing is kept for sending; a channel that is added later learns what is still active.
 * - With a store, conditions and messages are stored before anything is sent, so that the next process goes on where this
 *   one was killed. While the store is away everything goes on from memory.
 *
 * Nothing here throws or rejects; failures of channels are logged.
 */
export class AlertDispatcher {
  readonly #context: ChannelContext;
  readonly #outbox: Outbox;
  readonly #channels: Channels;
  readonly #conditions = new Map<string, Condition>();
  readonly #pending: Agenda;
  #settings: Required<AlertSettings>;
  #windowEndsAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: AlertDispatcherOptions) {
    const { notifiers, log, store = null, clock = systemClock, random = Math.random, ...settings } = options;
    this.#context = { clock, log, random };
    this.#settings = withDefaults(settings);
    this.#pending = new Agenda(clock, () => void this.#send(clock.monotonic()));
    this.#outbox = new Outbox(store, this.#context);
    this.#channels = new Channels(notifiers, this.#settings.retry, this.#context, this.#outbox);
  }

  /** Says that a condition holds. Saying it again is free: it refreshes cause and severity, not the beginning. */
  raise(alert: Alert): void {
    if (this.#closed) return;
    const known = this.#conditions.get(alert.key);
    if (known && (known.active || known.told)) this.#goesOn(known, alert);
    else this.#begins(alert, known);
  }

  /**
   * Says that a condition ended; unknown and ended ones are ignored.
   * @param at - epoch milliseconds.
   */
  resolve(key: string, at: number = this.#context.clock.now()): void {
    const condition = this.#conditions.get(key);
    if (this.#closed || !condition?.active) return;
    condition.active = false;
    condition.resolvedAt = Math.max(at, condition.alert.at);
    if (this.#channels.count === 0) this.#forget(key, condition);
    else if (condition.told) this.#schedule(key, this.#windowEnd());
    this.#record(condition);
  }

  /** Ends a condition of which another one tells: when nobody has heard of it, nobody does. */
  retract(key: string, at: number = this.#context.clock.now()): void {
    if (this.#conditions.get(key)?.told === false) this.#pending.delete(key);
    this.resolve(key, at);
  }

  /** Leaves a condition to whichever process takes over next. */
  release(key: string): void {
    const condition = this.#conditions.get(key);
    if (this.#closed || condition === undefined) return;
    this.#pending.delete(key);
    this.#conditions.delete(key);
    this.#outbox.release(condition.id);
  }

  /**
   * Goes on where processes of the same kind stopped that are gone: sends what they did not deliver, and takes over their
   * conditions. Returns those that held when they stopped: they hold until they are resolved here.
   */
  async takeOver(): Promise<Alert[]> {
    const { outages, deliveries } = await this.#outbox.takeOver();
    if (this.#closed) return [];
    if (deliveries.length > 0) {
      this.#context.log.info({ messages: deliveries.length }, 'sending what a process before this one did not deliver');
      this.#channels.queue(deliveries);
    }
    return outages.filter((outage) => this.#inherit(outage)).map(({ alert }) => alert);
  }

  /** The conditions that were taken over, hold as far as is known, and were not raised since. */
  inherited(): Alert[] {
    return [...this.#conditions.values()]
      .filter(({ active, inherited }) => active && inherited)
      .map(({ alert }) => alert);
  }

  /** The conditions that hold now, oldest first. */
  active(): Alert[] {
    const active = [...this.#conditions.values()].filter((condition) => condition.active);
    return active.map(({ alert }) => alert).toSorted((a, b) => a.at - b.at);
  }

  /** Sends a test message through every channel at once, past the queues, and tells how each fared. */
  test(): Promise<TestResult[]> {
    return this.#channels.test(renderTest(this.#context.clock.now(), randomUUID()));
  }

  /** Sends what is pending without waiting for its time; resolves when every queue is empty or the deadline has passed. */
  async flush(deadlineMs: number = FLUSH_DEADLINE_MS): Promise<void> {
    const deadline = Promise.withResolvers<void>();
    const cancel = this.#context.clock.after(deadlineMs, deadline.resolve, true);
    const sent = this.#send(Number.POSITIVE_INFINITY).then(() => this.#channels.drained());
    await Promise.race([sent, deadline.promise]);
    cancel();
  }

  /** Takes over a changed configuration; see `Channels.use`. */
  reconfigure(notifiers: readonly Notifier[], settings: AlertSettings = {}): void {
    if (this.#closed) return;
    this.#settings = withDefaults(settings);
    this.#channels.use(notifiers, this.#settings.retry);
    for (const [key, condition] of this.#conditions) {
      if (condition.active && !condition.told) this.#announce(key, condition);
    }
  }

  /** Stops everything; what was not delivered is logged, and left to the next process where it is stored. To send it, `flush` first. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pending.close();
    const lost = [...this.#pending.keys(), ...this.#channels.close()];
    const fate = this.#outbox.keeps ? 'left to the next process' : 'given up: their channels were closed';
    if (lost.length > 0) this.#context.log.warn({ lost }, `alerts ${fate}`);
    this.#outbox.close();
  }

  #begins(alert: Alert, before: Condition | undefined): void {
    const condition = begun(alert, before);
    if (before) this.#outbox.record({ ...outageOf(before, false, this.#context.clock), open: false });
    this.#conditions.set(alert.key, condition);
    this.#announce(alert.key, condition);
    this.#record(condition);
  }

  #goesOn(condition: Condition, alert: Alert): void {
    condition.alert = { ...alert, at: condition.alert.at };
    condition.active = true;
    condition.resolvedAt = null;
    if (condition.told && !condition.inherited) this.#remind(alert.key, condition);
    else if (condition.told) this.#pending.delete(alert.key); // whoever took it over does not tell it again
    condition.inherited = false;
    this.#record(condition);
  }

  /** Returns whether it is a condition that holds, and was not known here. */
  #inherit(outage: Outage): boolean {
    const { clock } = this.#context;
    const { key } = outage.alert;
    const condition = conditionOf(outage, clock);
    const known = this.#conditions.get(key);
    const own = known && (known.active || known.told || this.#pending.has(key)) ? known : undefined;
    if (own) {
      // both saw the same: it began with the first, and people were told by either
      this.#outbox.record({ ...outageOf(own, false, clock), resolvedAt: clock.now(), told: false, open: false });
      const announced = [...condition.announced, ...own.announced].toSorted((a, b) => a - b);
      const at = Math.min(own.alert.at, outage.alert.at);
      const told = own.told || condition.told;
      Object.assign(own, { id: condition.id, told, announced, alert: { ...own.alert, at } });
      if (own.active && told) this.#pending.delete(key);
    }
    const now = own ?? condition;
    this.#conditions.set(key, now);
    if (now.active && !now.told) this.#announce(key, now);
    if (!now.active && this.#channels.count === 0) this.#forget(key, now);
    else if (!now.active) this.#schedule(key, this.#windowEnd());
    this.#record(now);
    return now.active && now === condition;
  }

  #record(condition: Condition): void {
    const pending = this.#pending.has(condition.alert.key);
    this.#outbox.record(outageOf(condition, pending, this.#context.clock));
  }

  #forget(key: string, condition: Condition): void {
    condition.told = false;
    this.#pending.delete(key);
    this.#conditions.delete(key);
  }

  #announce(key: string, { announced }: Condition): void {
    if (this.#pending.has(key)) return;
    const now = this.#context.clock.monotonic();
    const [first = now, ...others] = announced.filter((at) => at + this.#settings.repeatAfterMs > now);
    const flaps = others.length + 1 >= FREE_ANNOUNCEMENTS;
    this.#schedule(key, flaps ? first + this.#settings.repeatAfterMs : this.#windowEnd());
  }

  /** People know already. They are told again when that was long ago; a recovery that did not last is not told at all. */
  #remind(key: string, condition: Condition): void {
    if (this.#context.clock.monotonic() - lastAnnounced(condition) < this.#settings.repeatAfterMs)
      this.#pending.delete(key);
    else if (!this.#pending.has(key)) this.#schedule(key, this.#windowEnd());
  }

  /** When the present group is sent; the first change opens it. */
  #windowEnd(): number {
    const now = this.#context.clock.monotonic();
    if (this.#windowEndsAt <= now) this.#windowEndsAt = now + this.#settings.groupWindowMs;
    return this.#windowEndsAt;
  }

  #schedule(key: string, dueAt: number): void {
    if (this.#channels.count > 0) this.#pending.set(key, dueAt);
  }

  /** Makes one message of everything that is due until then (monotonic clock), and hands it to the channels. */
  async #send(until: number): Promise<void> {
    const { clock } = this.#context;
    const controls = await this.#outbox.controls();
    if (this.#closed) return;
    const now = clock.monotonic();
    const entries: NotificationEntry[] = [];
    for (const key of this.#pending.take(until)) {
      const condition = this.#conditions.get(key);
      if (condition && !this.#isMuted(condition, controls)) entries.push(this.#tell(condition, now));
    }
    this.#forgetOld(now);
    if (entries.length > 0) this.#channels.send(entries, this.active());
  }

  /**
   * Whether people want to hear nothing of it. The end of what they were told they always hear. What a silence covers is told
   * when that ends before the trouble does; whoever has acknowledged a trouble knows of it.
   */
  #isMuted(condition: Condition, { silences, acknowledged }: AlertControls): boolean {
    const { id, alert, active, told } = condition;
    const { clock } = this.#context;
    if (told && !active) return false;
    const isKnown = active && acknowledged.has(id);
    if (!isKnown && !isSilenced(alert, silences, clock.now())) return false;
    if (isKnown) condition.told = true;
    else if (active && !told) this.#schedule(alert.key, clock.monotonic() + this.#settings.groupWindowMs);
    this.#record(condition);
    return true;
  }

  #tell(condition: Condition, now: number): NotificationEntry {
    const { alert, active, told, resolvedAt, occurrences } = condition;
    const heard = this.#channels.count > 0;
    if (heard && (active || !told)) {
      condition.announced = [...condition.announced.filter((at) => at + this.#settings.repeatAfterMs > now), now];
    }
    condition.told = heard && active;
    condition.occurrences = 0;
    this.#record(condition);
    return { alert, state: active ? 'firing' : 'resolved', resolvedAt, occurrences };
  }

  /** An ended condition is kept only for as long as its last announcement delays the next. */
  #forgetOld(now: number): void {
    for (const [key, condition] of this.#conditions) {
      const quiet = lastAnnounced(condition) + this.#settings.repeatAfterMs <= now;
      const over = !condition.active && !this.#pending.has(key) && quiet;
      if (over) this.#conditions.delete(key);
    }
  }
}

function lastAnnounced({ announced }: Condition): number {
  return announced.at(-1) ?? Number.NEGATIVE_INFINITY;
}

function withDefaults(settings: AlertSettings): Required<AlertSettings> {
  return { groupWindowMs: GROUP_WINDOW_MS, repeatAfterMs: REPEAT_AFTER_MS, retry: DEFAULT_RETRY, ...settings };
}
