import type { AddedChannel } from './added-channel.ts';
import { EmailNotifier } from './email.ts';
import type { Notifier } from './notifier.ts';
import type { EmailChannel, WebhookChannel } from './schema.ts';
import { TargetGuard } from './target-guard.ts';
import { WebhookNotifier } from './webhook.ts';

export interface AlertChannels {
  readonly email: readonly EmailChannel[];
  readonly webhooks: readonly WebhookChannel[];
  /** Name of the installation, which stands in every message. */
  readonly site?: string | undefined;
  /** Private networks that channels from the API may reach: addresses, and ranges in CIDR form. */
  readonly allowedNetworks: readonly string[];
}

/**
 * Makes the notifiers of a configuration; those that share a name, such as two webhooks of one host, are numbered.
 * @param added - came through the API: they keep the names that they were given, and do not reach private networks.
 */
export function createNotifiers(
  { email, webhooks, site, allowedNetworks }: AlertChannels,
  added: readonly AddedChannel[] = [],
): Notifier[] {
  const seen = new Map<string, number>();
  const guard = new TargetGuard(allowedNetworks);
  return [
    ...email.map((channel) => new EmailNotifier(channel)),
    ...webhooks.map((channel) => new WebhookNotifier(channel)),
    ...added.map(({ name, webhook }) => renamed(new WebhookNotifier(webhook, guard), name)),
  ].map((notifier) => {
    const count = (seen.get(notifier.name) ?? 0) + 1;
    seen.set(notifier.name, count);
    const unique = count === 1 ? notifier : renamed(notifier, `${notifier.name} #${count}`);
    return site === undefined ? unique : ofSite(unique, site);
  });
}

/** Where several installations share a receiver, people must know which one speaks, and none may end the alerts of another. */
function ofSite(notifier: Notifier, site: string): Notifier {
  const { name, filter } = notifier;
  return {
    name,
    ...(filter && { filter }),
    send(notification, signal) {
      return notifier.send({ ...notification, site, subject: `${site}: ${notification.subject}` }, signal);
    },
  };
}

function renamed(notifier: Notifier, name: string): Notifier {
  const { filter } = notifier;
  return { name, ...(filter && { filter }), send: (notification, signal) => notifier.send(notification, signal) };
}
