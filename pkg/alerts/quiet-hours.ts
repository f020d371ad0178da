import type { Clock } from '../clock/clock.ts';
import type { Notification } from './alert.ts';

/** Messages for one channel that wait; beyond it they are made one. */
const MOST_HELD = 100;

interface Held {
  readonly notifications: Notification[];
  readonly cancel: () => void;
}

/** Messages that wait until their channel may be disturbed again. */
export class QuietHours {
  readonly #clock: Clock;
  readonly #onEnd: (channel: string, held: readonly Notification[]) => void;
  readonly #held = new Map<string, Held>();

  /** @param onEnd - gets what has waited, oldest first; sooner, when it has become too much. */
  constructor(clock: Clock, onEnd: (channel: string, held: readonly Notification[]) => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  get channels(): string[] {
    return [...this.#held.keys()];
  }

  /** @param until - epoch milliseconds. */
  hold(channel: string, notification: Notification, until: number): void {
    const known = this.#held.get(channel);
    known?.cancel();
    const notifications = [...(known?.notifications ?? []), notification];
    const end = () => this.#onEnd(channel, this.take(channel));
    this.#held.set(channel, { notifications, cancel: this.#clock.after(until - this.#clock.now(), end) });
    if (notifications.length > MOST_HELD) end();
  }

  /** They do not wait here any more. */
  take(channel: string): readonly Notification[] {
    const held = this.#held.get(channel);
    held?.cancel();
    this.#held.delete(channel);
    return held?.notifications ?? [];
  }
}
