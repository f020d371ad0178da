import type { Reading } from '../../../pkg/alerts/rules/reading.ts';
import { formatDuration } from '../../../pkg/alerts/words.ts';
import type { EventType, StoredEvent } from '../../model/event.ts';

/** How an instance ends that nobody has asked to. */
const UNEXPECTED = new Set<EventType>(['instance.exited', 'instance.start-failed', 'instance.lost']);
/** How many of the latest are quoted. */
const QUOTED = 3;

/**
 * How often instances of a service ended unexpectedly within the window.
 * @param events - newest first.
 * @param now - epoch milliseconds, as those of the events.
 */
export function restartsReading(service: string, events: readonly StoredEvent[], now: number, overMs: number): Reading {
  const ends = events.filter(
    ({ type, service: of, at }) => of === service && at > now - overMs && UNEXPECTED.has(type),
  );
  const latest = ends
    .slice(0, QUOTED)
    .map(({ at, message }) => `${new Date(at).toISOString().slice(11, 19)} UTC ${message}`);
  return {
    subject: service,
    service,
    value: ends.length,
    words: `${ends.length} unexpected ends of instances within ${formatDuration(overMs)}`,
    advice: () => [...latest, 'next: what an instance wrote last: GET /servers/{id}/logs'],
  };
}
