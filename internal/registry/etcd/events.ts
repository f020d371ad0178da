import { randomUUID } from 'node:crypto';
import type { EventCount, EventCountQuery, HeimdallEvent, StoredEvent } from '../../model/event.ts';
import type { EventQuery } from '../registry.ts';
import { valueOf } from './parse.ts';
import { FORM } from './forms.ts';
import { numberOf } from './numbers.ts';
import type { Entry, Store, Write } from './store.ts';

export const EVENTS = 'kept/events/';
/** Names are in the order of their letters, and the newest is wanted first: times count down from here. */
const END_OF_TIME = 10 ** 15;
/** So many are read at a time. */
const PAGE = 500;

/** Names events so that the newest comes first. */
export class EventNames {
  #count = 0;

  next(at: number): string {
    this.#count += 1;
    const place = String(END_OF_TIME - this.#count).padStart(15, '0');
    return `${EVENTS}${countdown(at)}-${place}-${randomUUID()}`;
  }
}

export async function writeEvent(store: Store, names: EventNames, event: HeimdallEvent): Promise<void> {
  await store.write([putEvent(names, event, 0)]);
}

/** @param place - among what is written in the same commit. */
export function putEvent(names: EventNames, event: HeimdallEvent, place: number): Write {
  const { at, type, service, instanceId, message, data } = event;
  return { put: names.next(at), value: { at, type, service, instanceId, message, data, place } };
}

export async function readEvents(store: Store, query: EventQuery): Promise<StoredEvent[]> {
  const { limit, service, since = 0, type = '', actor } = query;
  const found: StoredEvent[] = [];
  for await (const event of eventsSince(store, since, Math.min(PAGE, limit))) {
    const isMeant =
      (service === undefined || event.service === service) &&
      event.type.startsWith(type) &&
      (actor === undefined || event.data.actor === actor);
    if (isMeant && found.push(event) >= limit) break;
  }
  return found.slice(0, limit);
}

export async function countEvents(store: Store, { types, since, latest }: EventCountQuery): Promise<EventCount[]> {
  const counts = new Map<string, { count: number; latest: { at: number; message: string }[] }>();
  for await (const { service, type, at, message } of eventsSince(store, since, PAGE)) {
    if (service === null || !types.includes(type)) continue;
    const known = counts.get(service) ?? { count: 0, latest: [] };
    counts.set(service, known);
    known.count += 1;
    if (known.latest.length < latest) known.latest.push({ at, message });
  }
  return [...counts]
    .map(([service, known]) => ({ service, ...known }))
    .toSorted((a, b) => (a.service < b.service ? -1 : 1));
}

/** @param before - epoch milliseconds. Returns how many there were. */
export function deleteEvents(store: Store, before: number): Promise<number> {
  return store.removeAll(EVENTS, `${EVENTS}${countdown(before - 1)}`);
}

/** Newest first. */
async function* eventsSince(store: Store, since: number, page: number): AsyncGenerator<StoredEvent> {
  let from = EVENTS;
  for (;;) {
    const { entries, more } = await store.list(EVENTS, { from, limit: page });
    for (const entry of entries) {
      const event = eventOf(entry);
      if (event.at < since) return;
      yield event;
    }
    const last = entries.at(-1);
    if (!more || last === undefined) return;
    from = `${last.name}\0`;
  }
}

function eventOf(entry: Entry): StoredEvent {
  const { place, ...event } = valueOf(FORM.event, entry);
  return { ...event, id: numberOf(entry.created, place) };
}

function countdown(at: number): string {
  return String(END_OF_TIME - at).padStart(15, '0');
}
