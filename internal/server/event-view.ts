import type { EventView } from '../model/event-view.ts';
import type { StoredEvent } from '../model/event.ts';

/** An event as the API shows it. */
export function eventView(event: StoredEvent): EventView {
  return { ...event, at: new Date(event.at).toISOString() };
}
