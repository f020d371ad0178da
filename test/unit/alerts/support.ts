import type { AddedChannel } from '../../../pkg/alerts/added-channel.ts';
import type { Alert, Notification } from '../../../pkg/alerts/alert.ts';
import type { AlertControls, Silence } from '../../../pkg/alerts/book.ts';
import type { AlertLog } from '../../../pkg/alerts/channel.ts';
import type { Notifier } from '../../../pkg/alerts/notifier.ts';
import type { AlertChanges, AlertStore, Delivery, Inheritance, Outage } from '../../../pkg/alerts/store.ts';

export const START = Date.UTC(2026, 0, 2, 12);

/** Keeps what it is given; fails with what `failures` holds, first come first. */
export class FakeNotifier implements Notifier {
  readonly name: string;
  readonly sent: Notification[] = [];
  readonly failures: Error[] = [];
  attempts = 0;
  /** Never settles, and does not listen to its signal either. */
  hangs = false;

  constructor(name = 'fake') {
    this.name = name;
  }

  async send(notification: Notification): Promise<void> {
    this.attempts += 1;
    if (this.hangs) return new Promise(() => {});
    const failure = this.failures.shift();
    if (failure) throw failure;
    this.sent.push(notification);
  }

  get subjects(): string[] {
    return this.sent.map(({ subject }) => subject);
  }
}

/** A store that outlives the dispatchers which use it one after the other. */
export class MemoryStore implements AlertStore {
  readonly outages = new Map<string, Outage>();
  readonly deliveries = new Map<string, Delivery>();
  readonly released: string[] = [];
  readonly silences: Silence[] = [];
  readonly acknowledged = new Set<string>();
  readonly added: AddedChannel[] = [];
  away = false;

  async channels(): Promise<AddedChannel[]> {
    this.#check();
    return [...this.added];
  }

  async controls(): Promise<AlertControls> {
    this.#check();
    return { silences: this.silences, acknowledged: this.acknowledged };
  }

  async save({ outages, released, made, settled }: AlertChanges): Promise<void> {
    this.#check();
    for (const outage of outages) this.outages.set(outage.id, outage);
    this.released.push(...released);
    for (const delivery of made) this.deliveries.set(nameOf(delivery), delivery);
    for (const delivery of settled) this.deliveries.delete(nameOf(delivery));
  }

  async takeOver(): Promise<Inheritance> {
    this.#check();
    const open = [...this.outages.values()].filter((outage) => outage.open);
    return { outages: open, deliveries: [...this.deliveries.values()] };
  }

  #check(): void {
    if (this.away) throw new Error('the registry is locked');
  }
}

function nameOf({ channel, notification }: Delivery): string {
  return `${notification.id} to ${channel}`;
}

export class FakeLog implements AlertLog {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: object }[] = [];

  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', message, fields });
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', message, fields });
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', message, fields });
  }

  of(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}

export function alertAt(at: number, changes: Partial<Alert> = {}): Alert {
  return { key: 'instance-down:web-9001', severity: 'critical', title: 'web-9001 is down', at, ...changes };
}
