import type { Alert, NotificationEntry } from './alert.ts';
import { formatDuration } from './words.ts';

/** What a message tells of several instances of one service. */
export interface Group {
  readonly service: string;
  /** In the message: the firing ones first. */
  readonly entries: readonly NotificationEntry[];
  /** All that are down at present, oldest first. */
  readonly down: readonly Alert[];
  /** How many instances the service has. */
  readonly outOf: number;
}

/**
 * The group that an entry belongs to; null when it is told by itself: it is not about an instance that is down, or is the
 * only one of its service to be told of, and no other is down.
 * @param active - all that holds now.
 */
export function groupAround(
  entry: NotificationEntry,
  entries: readonly NotificationEntry[],
  active: readonly Alert[],
): Group | null {
  const { service, outOf } = entry.alert;
  if (service === undefined || outOf === undefined) return null;
  const belongs = (alert: Alert) => alert.service === service && alert.outOf !== undefined;
  const own = entries.filter(({ alert }) => belongs(alert));
  const told = own.filter(({ state }) => state === 'firing').map(({ alert }) => alert);
  const keys = new Set(told.map(({ key }) => key));
  const down = [...told, ...active.filter((alert) => belongs(alert) && !keys.has(alert.key))];
  if (own.length < 2 && (entry.state === 'resolved' || down.length < 2)) return null;
  // of several counts the one that was taken last
  const latest = [...own.map(({ alert }) => alert), ...down].toSorted((a, b) => b.at - a.at)[0]?.outOf ?? outOf;
  return {
    service,
    entries: own,
    down: down.toSorted((a, b) => a.at - b.at),
    outOf: Math.max(latest, down.length),
  };
}

/** `3 of 5 instances of web are down since 14:02 UTC: connect ECONNREFUSED`, or `web is whole again after 4 min`, or what lies between. */
export function sentenceOf({ service, entries, down, outOf }: Group): string {
  const [first] = down;
  if (first === undefined) {
    const from = Math.min(...entries.map(({ alert }) => alert.at));
    const to = Math.max(...entries.map(({ alert, resolvedAt }) => resolvedAt ?? alert.at));
    return `${service} is whole again after ${formatDuration(to - from)}`;
  }
  const cause = mostFrequent(down.flatMap((alert) => alert.cause?.split('\n', 1) ?? []));
  const since = `since ${timeOfDay(first.at)}${cause === null ? '' : `: ${cause}`}`;
  const share = `${down.length} of ${outOf}`;
  const nodes = new Set(down.map(({ node }) => node));
  const where = nodes.size === 1 && first.node !== undefined ? ` on node ${first.node}` : '';
  if (entries.every(({ state }) => state === 'resolved')) {
    return `${entries.length} instances of ${service} are up again, ${share} still down ${since}`;
  }
  return `${share} instances of ${service} ${down.length === 1 ? 'is' : 'are'} down${where} ${since}`;
}

function timeOfDay(at: number): string {
  return `${new Date(at).toISOString().slice(11, 16)} UTC`;
}

/** Of several equally frequent the first. */
function mostFrequent(texts: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a);
  return most?.[0] ?? null;
}
