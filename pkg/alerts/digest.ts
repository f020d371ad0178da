import type { Notification, NotificationEntry } from './alert.ts';
import { renderNotification } from './render.ts';

/**
 * One message of several that were held back: each condition once, with its latest state.
 * @param held - at least one, oldest first.
 * @param at - epoch milliseconds.
 */
export function digestOf(held: readonly Notification[], at: number, id: string): Notification {
  const latest = new Map<string, NotificationEntry>();
  for (const entry of held.flatMap(({ entries }) => entries)) {
    const { key } = entry.alert;
    const occurrences = entry.occurrences + (latest.get(key)?.occurrences ?? 0);
    latest.set(key, { ...entry, occurrences });
  }
  const entries = [...latest.values()];
  const firing = entries.filter(({ state }) => state === 'firing').map(({ alert }) => alert);
  return renderNotification(entries, at, id, firing);
}
