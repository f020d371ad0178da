import type { Reading } from '../../../pkg/alerts/rules/reading.ts';
import { formatDuration } from '../../../pkg/alerts/words.ts';
import type { EventCount, EventType } from '../../model/event.ts';

/** How an instance ends that nobody has asked to. */
export const UNEXPECTED_ENDS: readonly EventType[] = ['instance.exited', 'instance.start-failed', 'instance.lost'];
/** How many of the latest are quoted. */
export const QUOTED_ENDS = 3;

/**
 * How often instances of a service ended unexpectedly within the window.
 * @param ends - of all services, within the window.
 */
export function restartsReading(service: string, ends: readonly EventCount[], overMs: number): Reading {
  const { count, latest } = ends.find((each) => each.service === service) ?? { count: 0, latest: [] };
  return {
    subject: service,
    service,
    value: count,
    words: `${count} unexpected ends of instances within ${formatDuration(overMs)}`,
    advice: () => [
      ...latest.map(({ at, message }) => `${new Date(at).toISOString().slice(11, 19)} UTC ${message}`),
      'next: what an instance wrote last: GET /servers/{id}/logs',
    ],
  };
}
