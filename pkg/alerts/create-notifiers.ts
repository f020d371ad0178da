import { EmailNotifier } from './email.ts';
import type { Notifier } from './notifier.ts';
import type { EmailChannel, WebhookChannel } from './schema.ts';
import { WebhookNotifier } from './webhook.ts';

export interface AlertChannels {
  readonly email: readonly EmailChannel[];
  readonly webhooks: readonly WebhookChannel[];
}

/** Makes the notifiers of a configuration; those that share a name, such as two webhooks of one host, are numbered. */
export function createNotifiers({ email, webhooks }: AlertChannels): Notifier[] {
  const seen = new Map<string, number>();
  return [
    ...email.map((channel) => new EmailNotifier(channel)),
    ...webhooks.map((channel) => new WebhookNotifier(channel)),
  ].map((notifier) => {
    const count = (seen.get(notifier.name) ?? 0) + 1;
    seen.set(notifier.name, count);
    return count === 1 ? notifier : renamed(notifier, `${notifier.name} #${count}`);
  });
}

function renamed(notifier: Notifier, name: string): Notifier {
  const { filter } = notifier;
  return { name, ...(filter && { filter }), send: (notification, signal) => notifier.send(notification, signal) };
}
