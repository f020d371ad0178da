import type { Alert, Notification } from '../../../pkg/alerts/alert.ts';
import type { AlertLog } from '../../../pkg/alerts/channel.ts';
import type { Notifier } from '../../../pkg/alerts/notifier.ts';

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
