import { randomUUID } from 'node:crypto';
import type { Alert, Notification, NotificationEntry } from './alert.ts';
import { Channel, type ChannelContext, type RetryPolicy } from './channel.ts';
import { digestOf } from './digest.ts';
import { accepts } from './filter.ts';
import type { Notifier } from './notifier.ts';
import type { Outbox } from './outbox.ts';
import { QuietHours } from './quiet-hours.ts';
import { renderNotification } from './render.ts';
import type { Delivery } from './store.ts';

export interface TestResult {
  readonly channel: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly durationMs: number;
}

/** All channels to people; what one of them is to get is stored before it is tried. */
export class Channels {
  readonly #context: ChannelContext;
  readonly #outbox: Outbox;
  #retry: RetryPolicy;
  #channels: Channel[];
  readonly #quiet: QuietHours;
  #sending: Promise<unknown> = Promise.resolve();

  constructor(notifiers: readonly Notifier[], retry: RetryPolicy, context: ChannelContext, outbox: Outbox) {
    this.#context = context;
    this.#outbox = outbox;
    this.#retry = retry;
    this.#channels = notifiers.map((notifier) => this.#open(notifier));
    this.#quiet = new QuietHours(context.clock, (channel, held) => this.#release(channel, held));
  }

  get count(): number {
    return this.#channels.length;
  }

  /**
   * Makes of the entries what each channel is to be told, now or after its quiet hours. Call it in the tick in which the
   * changes are recorded that are told of: both are stored, or none.
   * @param active - all that holds now.
   */
  send(entries: readonly NotificationEntry[], active: readonly Alert[]): void {
    const now = this.#context.clock.now();
    const made = new Map<string, Notification>();
    const messageOf = (part: readonly NotificationEntry[]) => {
      const name = part.map((entry) => entries.indexOf(entry)).join();
      const message = made.get(name) ?? renderNotification(part, now, randomUUID(), active);
      made.set(name, message);
      return message;
    };
    this.#post(
      this.#channels.flatMap((channel) =>
        partsFor(channel, entries).map((part) => ({ channel: channel.name, notification: messageOf(part) })),
      ),
    );
  }

  /** For deliveries that are stored. What is meant for a channel that does not exist any more is given up. */
  queue(deliveries: readonly Delivery[]): void {
    const lost: string[] = [];
    for (const delivery of deliveries) {
      const channel = this.#channels.find(({ name }) => name === delivery.channel);
      if (channel) this.#queueOrHold(channel, delivery.notification);
      else this.#giveUp(delivery, lost);
    }
    this.#logLost(lost);
  }

  /** Sends through every channel at once, past the queues, and tells how each fared. */
  test(notification: Notification): Promise<TestResult[]> {
    const { clock } = this.#context;
    const startedAt = clock.monotonic();
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

  /**
   * Takes over a changed configuration. Channels are told apart by name: one that stays keeps its queue, what a removed
   * one did not deliver goes to those that are new.
   */
  use(notifiers: readonly Notifier[], retry: RetryPolicy): void {
    this.#retry = retry;
    const before = new Map(this.#channels.map((channel) => [channel.name, channel]));
    this.#channels = notifiers.map((notifier) => before.get(notifier.name) ?? this.#open(notifier));
    for (const [index, notifier] of notifiers.entries()) this.#channels[index]?.use(notifier, retry);
    const removed = [...before.values()].filter((channel) => !this.#channels.includes(channel));
    const added = this.#channels.filter((channel) => before.get(channel.name) !== channel);
    const orphans = new Set<Notification>();
    for (const channel of removed) {
      for (const notification of [...channel.close(), ...this.#quiet.take(channel.name)]) {
        orphans.add(notification);
        this.#outbox.settle({ channel: channel.name, notification });
      }
    }
    const adopted = [...orphans].map((orphan) => added.flatMap((channel) => fitting(orphan, channel)));
    this.#post(adopted.flat());
    for (const name of this.#quiet.channels) {
      this.queue(this.#quiet.take(name).map((notification) => ({ channel: name, notification })));
    }
    this.#logLost([...orphans].filter((_, at) => adopted[at]?.length === 0).map(({ subject }) => subject));
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    await this.#sending;
    await Promise.all(this.#channels.map((channel) => channel.drained()));
    await this.#outbox.saved();
  }

  /** Aborts what is under way, and returns the subjects of what was not delivered. */
  close(): string[] {
    const waiting = this.#channels.flatMap((channel) => [...channel.close(), ...this.#quiet.take(channel.name)]);
    const undelivered = new Set(waiting);
    return [...undelivered].map(({ subject }) => subject);
  }

  #open(notifier: Notifier): Channel {
    const { name } = notifier;
    const settle = (notification: Notification) => this.#outbox.settle({ channel: name, notification });
    return new Channel(notifier, this.#retry, this.#context, settle);
  }

  #post(deliveries: readonly Delivery[]): void {
    if (deliveries.length === 0) return;
    this.#outbox.post(deliveries);
    this.#sending = Promise.all([this.#sending, this.#outbox.saved().then(() => this.queue(deliveries))]);
  }

  #queueOrHold(channel: Channel, notification: Notification): void {
    const ends = notification.entries.map(({ alert }) => channel.quietUntil(alert.severity));
    const [end = null] = ends.includes(null) ? [] : ends.toSorted((a, b) => Number(b) - Number(a));
    if (end === null) channel.enqueue(notification);
    else this.#quiet.hold(channel.name, notification, end);
  }

  /** What has waited goes as one message, unless it has to wait longer. */
  #release(channel: string, held: readonly Notification[]): void {
    if (held.length === 1) return this.queue(held.map((notification) => ({ channel, notification })));
    for (const notification of held) this.#outbox.settle({ channel, notification });
    this.#post([{ channel, notification: digestOf(held, this.#context.clock.now(), randomUUID()) }]);
  }

  #giveUp(delivery: Delivery, lost: string[]): void {
    this.#outbox.settle(delivery);
    lost.push(delivery.notification.subject);
  }

  #logLost(lost: readonly string[]): void {
    if (lost.length > 0) this.#context.log.warn({ lost }, 'alerts given up: their channels were closed');
  }
}

/** What a channel is told of a message that was meant for another one: nothing that its filter would have kept from it. */
function fitting(notification: Notification, { name, filter }: Channel): Delivery[] {
  const { entries, at } = notification;
  const accepted = entries.filter(({ alert }) => accepts(filter, alert));
  if (accepted.length === entries.length) return [{ channel: name, notification }];
  if (accepted.length === 0) return [];
  return [{ channel: name, notification: renderNotification(accepted, at, randomUUID()) }];
}

/** What is told at once, and what has to wait; neither when there is nothing. */
function partsFor(channel: Channel, entries: readonly NotificationEntry[]): NotificationEntry[][] {
  const accepted = entries.filter(({ alert }) => accepts(channel.filter, alert));
  const waits = ({ alert }: NotificationEntry) => channel.quietUntil(alert.severity) !== null;
  const parts = [accepted.filter((entry) => !waits(entry)), accepted.filter(waits)];
  return parts.filter((part) => part.length > 0);
}
