import type { Notification, NotificationEntry } from './alert.ts';
import { placedTitle } from './words.ts';

/** Alertmanager takes an alert for over that nobody sends again, after 5 min by default. We tell every end: a week, in milliseconds. */
const LASTS_MS = 7 * 86_400_000;

/** The body of Alertmanager's `POST /api/v2/alerts`: the labels are the identity of an alert, so they hold nothing that changes. */
export function alertmanagerAlerts({ entries, at, site }: Notification): object[] {
  return entries.map((entry) => postableAlert(entry, at, site));
}

function postableAlert({ alert, resolvedAt }: NotificationEntry, at: number, site: string | undefined): object {
  const { key, severity, cause, service, instance, node } = alert;
  return {
    labels: present({ alertname: key.split(':', 1)[0], key, severity, service, instance, node, site }),
    annotations: present({ summary: placedTitle(alert), description: cause }),
    startsAt: new Date(alert.at).toISOString(),
    endsAt: new Date(resolvedAt ?? at + LASTS_MS).toISOString(),
  };
}

/** An empty label is one that is absent. */
function present(labels: Readonly<Record<string, string | undefined>>): object {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== undefined && value !== ''));
}
