import type { EventType } from '../model/event.ts';

/** How often what has happened to each service since the manager started. */
export class EventCounts {
  readonly #counts = new Map<string, number>();

  count(service: string, type: EventType): void {
    this.#counts.set(keyOf(service, type), this.of(service, type) + 1);
  }

  of(service: string, type: EventType): number {
    return this.#counts.get(keyOf(service, type)) ?? 0;
  }
}

function keyOf(service: string, type: EventType): string {
  return `${type} ${service}`;
}
