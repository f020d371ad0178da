import type { Notification } from './alert.ts';
import { Channel, type ChannelContext, type RetryPolicy } from './channel.ts';
import type { Notifier } from './notifier.ts';
import type { Outbox } from './outbox.ts';
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
  #sending: Promise<unknown> = Promise.resolve();

  constructor(notifiers: readonly Notifier[], retry: RetryPolicy, context: ChannelContext, outbox: Outbox) {
    this.#context = context;
    this.#outbox = outbox;
    this.#retry = retry;
    this.#channels = notifiers.map((notifier) => this.#open(notifier));
  }

  get count(): number {
    return this.#channels.length;
  }

  /** Call it in the tick in which the changes are recorded that the message tells of: both are stored, or none. */
  send(notification: Notification): void {
    const deliveries = this.#channels.map(({ name }) => ({ channel: name, notification }));
    this.#outbox.post(deliveries);
    this.#sending = Promise.all([this.#sending, this.#outbox.saved().then(() => this.queue(deliveries))]);
  }

  /** For deliveries that are stored. What is meant for a channel that does not exist any more is given up. */
  queue(deliveries: readonly Delivery[]): void {
    const lost: string[] = [];
    for (const delivery of deliveries) {
      const channel = this.#channels.find(({ name }) => name === delivery.channel);
      if (channel) channel.enqueue(delivery.notification);
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
      for (const notification of channel.close()) {
        orphans.add(notification);
        this.#outbox.settle({ channel: channel.name, notification });
      }
    }
    this.#outbox.post(
      [...orphans].flatMap((notification) => added.map(({ name }) => ({ channel: name, notification }))),
    );
    for (const notification of orphans) for (const channel of added) channel.enqueue(notification);
    if (added.length === 0) this.#logLost([...orphans].map(({ subject }) => subject));
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    await this.#sending;
    await Promise.all(this.#channels.map((channel) => channel.drained()));
    await this.#outbox.saved();
  }

  /** Aborts what is under way, and returns the subjects of what was not delivered. */
  close(): string[] {
    const undelivered = new Set(this.#channels.flatMap((channel) => channel.close()));
    return [...undelivered].map(({ subject }) => subject);
  }

  #open(notifier: Notifier): Channel {
    const { name } = notifier;
    const settle = (notification: Notification) => this.#outbox.settle({ channel: name, notification });
    return new Channel(notifier, this.#retry, this.#context, settle);
  }

  #giveUp(delivery: Delivery, lost: string[]): void {
    this.#outbox.settle(delivery);
    lost.push(delivery.notification.subject);
  }

  #logLost(lost: readonly string[]): void {
    if (lost.length > 0) this.#context.log.warn({ lost }, 'alerts given up: their channels were closed');
  }
}
