import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '../clock/clock.ts';
import type { Alert, Notification, NotificationEntry } from './alert.ts';
import { type AlertLog, Channel, type ChannelContext, DEFAULT_RETRY, type RetryPolicy } from './channel.ts';
import type { Notifier } from './notifier.ts';
import { renderNotification, renderTest } from './render.ts';

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
  readonly clock?: Clock;
  /** In [0, 1); jitter of the retries. */
  readonly random?: () => number;
}

export interface TestResult {
  readonly channel: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly durationMs: number;
}

interface Condition {
  alert: Alert;
  active: boolean;
  resolvedAt: number | null;
  /** People were told that it is firing, and not yet that it ended. */
  told: boolean;
  /** When messages announced it within the last `repeatAfterMs`, in milliseconds of the monotonic clock, oldest first. */
  announced: readonly number[];
  /** Beginnings since the last message. */
  occurrences: number;
}

/**
 * Turns conditions that begin and end into messages to people.
 *
 * - What changes within the group window becomes one message; what begins and ends in it is one entry.
 * - A condition that began again after its end was told is announced again, but at most three times per `repeatAfterMs`.
 *   One that flaps more waits, and is then told with its latest state and the number of its beginnings. One that is
 *   raised again while it fires is told again only after that time.
 * - The end of an announced condition is told within a group window, unless it began again in the meantime.
 * - Without channels nothing is kept for sending; a channel that is added later learns what is still active.
 *
 * Nothing here throws or rejects; failures of channels are logged.
 */
export class AlertDispatcher {
  readonly #context: ChannelContext;
  readonly #conditions = new Map<string, Condition>();
  /** Keys with something to tell, and when, in milliseconds of the monotonic clock. */
  readonly #pending = new Map<string, number>();
  #settings: Required<AlertSettings>;
  #channels: Channel[];
  #windowEndsAt = Number.NEGATIVE_INFINITY;
  #timer: { readonly dueAt: number; readonly cancel: () => void } | null = null;
  #closed = false;

  constructor({ notifiers, log, clock = systemClock, random = Math.random, ...settings }: AlertDispatcherOptions) {
    this.#context = { clock, log, random };
    this.#settings = withDefaults(settings);
    this.#channels = notifiers.map((notifier) => this.#open(notifier));
  }

  /** Says that a condition holds. Saying it again is free: it refreshes cause and severity, not the beginning. */
  raise(alert: Alert): void {
    if (this.#closed) return;
    const known = this.#conditions.get(alert.key);
    if (known && (known.active || known.told)) {
      known.alert = { ...alert, at: known.alert.at };
      known.active = true;
      known.resolvedAt = null;
      if (known.told) this.#remind(alert.key, known);
      return;
    }
    const condition: Condition = {
      alert,
      active: true,
      resolvedAt: null,
      told: false,
      announced: known?.announced ?? [],
      occurrences: (known?.occurrences ?? 0) + 1,
    };
    this.#conditions.set(alert.key, condition);
    this.#announce(alert.key, condition);
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
    if (this.#channels.length === 0) this.#conditions.delete(key);
    else if (condition.told) this.#schedule(key, this.#windowEnd());
  }

  /** The conditions that hold now, oldest first. */
  active(): Alert[] {
    const active = [...this.#conditions.values()].filter((condition) => condition.active);
    return active.map(({ alert }) => alert).toSorted((a, b) => a.at - b.at);
  }

  /** Sends a test message through every channel at once, past the queues, and tells how each fared. */
  async test(): Promise<TestResult[]> {
    const { clock } = this.#context;
    const startedAt = clock.monotonic();
    const notification = renderTest(clock.now(), randomUUID());
    return Promise.all(
      this.#channels.map(async (channel) => {
        const result = await channel.attempt(notification).then(
          () => ({ ok: true }),
          (error: unknown) => ({ ok: false, error: error instanceof Error ? error.message : String(error) }),
        );
        return { channel: channel.name, ...result, durationMs: Math.round(clock.monotonic() - startedAt) };
      }),
    );
  }

  /** Sends what is pending without waiting for its time; resolves when every queue is empty or the deadline has passed. */
  async flush(deadlineMs: number = FLUSH_DEADLINE_MS): Promise<void> {
    this.#send(Number.POSITIVE_INFINITY);
    const deadline = Promise.withResolvers<void>();
    const cancel = this.#context.clock.after(deadlineMs, deadline.resolve, true);
    await Promise.race([Promise.all(this.#channels.map((channel) => channel.drained())), deadline.promise]);
    cancel();
  }

  /**
   * Takes over a changed configuration. Channels are told apart by name: one that stays keeps its queue, what a removed
   * one did not deliver goes to those that are new.
   */
  reconfigure(notifiers: readonly Notifier[], settings: AlertSettings = {}): void {
    if (this.#closed) return;
    this.#settings = withDefaults(settings);
    const before = new Map(this.#channels.map((channel) => [channel.name, channel]));
    this.#channels = notifiers.map((notifier) => before.get(notifier.name) ?? this.#open(notifier));
    for (const [index, notifier] of notifiers.entries()) this.#channels[index]?.use(notifier, this.#settings.retry);
    const removed = [...before.values()].filter((channel) => !this.#channels.includes(channel));
    const added = this.#channels.filter((channel) => before.get(channel.name) !== channel);
    const orphans = undeliveredOf(removed);
    for (const notification of orphans) {
      for (const channel of added) channel.enqueue(notification);
    }
    if (added.length === 0) this.#logLost([...orphans].map(({ subject }) => subject));
    for (const [key, condition] of this.#conditions) {
      if (condition.active && !condition.told) this.#announce(key, condition);
    }
  }

  /** Stops everything; what was not delivered is logged. To send it, `flush` first. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    const undelivered = undeliveredOf(this.#channels);
    this.#logLost([...this.#pending.keys(), ...[...undelivered].map(({ subject }) => subject)]);
  }

  #logLost(lost: readonly string[]): void {
    if (lost.length > 0) this.#context.log.warn({ lost }, 'alerts given up: their channels were closed');
  }

  #open(notifier: Notifier): Channel {
    return new Channel(notifier, this.#settings.retry, this.#context);
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
    if (this.#channels.length === 0) return;
    this.#pending.set(key, dueAt);
    this.#arm(dueAt);
  }

  #arm(dueAt: number): void {
    if (this.#timer && this.#timer.dueAt <= dueAt) return;
    this.#timer?.cancel();
    const { clock } = this.#context;
    const wake = () => {
      this.#timer = null;
      this.#send(clock.monotonic());
    };
    this.#timer = { dueAt, cancel: clock.after(Math.max(0, dueAt - clock.monotonic()), wake) };
  }

  /** Makes one message of everything that is due until then (monotonic clock), and hands it to every channel. */
  #send(until: number): void {
    const { clock } = this.#context;
    const now = clock.monotonic();
    const entries: NotificationEntry[] = [];
    let nextDueAt = Number.POSITIVE_INFINITY;
    for (const [key, dueAt] of this.#pending) {
      const condition = this.#conditions.get(key);
      if (dueAt > until) nextDueAt = Math.min(nextDueAt, dueAt);
      else this.#pending.delete(key);
      if (dueAt <= until && condition) entries.push(this.#tell(condition, now));
    }
    if (nextDueAt < Number.POSITIVE_INFINITY) this.#arm(nextDueAt);
    this.#forgetOld(now);
    if (entries.length === 0) return;
    const notification = renderNotification(entries, clock.now(), randomUUID());
    for (const channel of this.#channels) channel.enqueue(notification);
  }

  #tell(condition: Condition, now: number): NotificationEntry {
    const { alert, active, told, resolvedAt, occurrences } = condition;
    const heard = this.#channels.length > 0;
    if (heard && (active || !told)) {
      condition.announced = [...condition.announced.filter((at) => at + this.#settings.repeatAfterMs > now), now];
    }
    condition.told = heard && active;
    condition.occurrences = 0;
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

function undeliveredOf(channels: readonly Channel[]): Set<Notification> {
  return new Set(channels.flatMap((channel) => channel.close()));
}
