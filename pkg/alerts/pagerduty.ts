import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { Notification, NotificationEntry } from './alert.ts';
import { clip, placedTitle } from './words.ts';

/** Limits of the Events API v2. */
const DEDUP_LENGTH = 255;
const SUMMARY_LENGTH = 1_024;

/**
 * Events of PagerDuty's Events API v2, one for each alert: the API takes one at a time. The condition's key ties the end
 * to the beginning, and makes a repeated event harmless.
 */
export function pagerDutyEvents({ entries, site }: Notification, routingKey: string): object[] {
  return entries.flatMap((entry) => {
    const event = eventOf(entry, routingKey, site);
    const endsByItself = entry.state === 'firing' && entry.resolvedAt !== null;
    return endsByItself ? [event, eventOf({ ...entry, state: 'resolved' }, routingKey, site)] : [event];
  });
}

function eventOf(
  { alert, state, occurrences }: NotificationEntry,
  routingKey: string,
  site: string | undefined,
): object {
  const event = {
    routing_key: routingKey,
    event_action: state === 'firing' ? 'trigger' : 'resolve',
    dedup_key: dedupKey([site, alert.key, alert.node].filter((part) => part !== undefined).join('/')),
  };
  if (state === 'resolved') return event;
  const { cause, severity, service, instance, node, at } = alert;
  const title = placedTitle(alert);
  const [reason] = cause?.split('\n', 1) ?? [];
  return {
    ...event,
    client: 'heimdall',
    payload: {
      summary: clip(reason === undefined ? title : `${title}: ${reason}`, SUMMARY_LENGTH),
      source: instance ?? node ?? service ?? hostname(),
      severity,
      timestamp: new Date(at).toISOString(),
      ...(service === undefined ? {} : { component: service }),
      ...(site === undefined ? {} : { group: site }),
      class: alert.key.split(':', 1)[0],
      custom_details: { cause: clip(cause ?? '', 8_000), occurrences, ...(node === undefined ? {} : { node }) },
    },
  };
}

function dedupKey(key: string): string {
  return key.length <= DEDUP_LENGTH ? key : createHash('sha256').update(key).digest('hex');
}
