import type { Clock } from '../../pkg/clock/clock.ts';
import type { EventType, StoredEvent } from '../model/event.ts';
import type { RegistryReader } from './registry.ts';

/** Between two looks for what the manager has found, and how often, in milliseconds: it reads the output after the end. */
const LOOK_MS = 250;
const LOOKS = 12;
/** The clock of whoever noticed the end is not that of the event. */
const EARLIER_MS = 1_000;
/** For how long one reading will do for all instances of a service, in milliseconds: where one ends, often all do. */
const SHARED_MS = 100;
const MOST_EVENTS = 1_000;
/** How many lines are quoted. */
const LINES = 10;
const ENDS = new Set<EventType>(['instance.exited', 'instance.start-failed']);

/** What instances wrote last before they ended, as the manager has put it down. */
export class LastWords {
  readonly #registry: Pick<RegistryReader, 'events'>;
  readonly #clock: Clock;
  /** By service. */
  readonly #readings = new Map<string, Promise<readonly StoredEvent[]>>();

  constructor(registry: Pick<RegistryReader, 'events'>, clock: Clock) {
    this.#registry = registry;
    this.#clock = clock;
  }

  /**
   * Waits until it is known, for three seconds at most; none when it wrote nothing, or nobody knows. Never rejects.
   * @param endedAt - when the end was noticed, in epoch milliseconds.
   */
  async of(service: string, instanceId: string, endedAt: number): Promise<readonly string[]> {
    for (let look = 0; look < LOOKS; look += 1) {
      await new Promise<void>((resolve) => this.#clock.after(LOOK_MS, resolve));
      const lines = await this.#find(service, instanceId, endedAt - EARLIER_MS).catch(() => null);
      if (lines !== null) return lines.slice(-LINES);
    }
    return [];
  }

  /** Null: the end is not put down yet. */
  async #find(service: string, instanceId: string, since: number): Promise<readonly string[] | null> {
    const events = await this.#lately(service);
    const end = events.find(({ type, at, ...event }) => {
      return event.instanceId === instanceId && at >= since && ENDS.has(type);
    });
    if (end === undefined) return null;
    const tail = end.data['logTail'];
    return Array.isArray(tail) ? tail.filter((line) => typeof line === 'string') : [];
  }

  /** Newest first. */
  #lately(service: string): Promise<readonly StoredEvent[]> {
    const known = this.#readings.get(service);
    if (known !== undefined) return known;
    const since = this.#clock.now() - EARLIER_MS - LOOKS * LOOK_MS;
    const reading = this.#registry.events({ limit: MOST_EVENTS, service, since });
    this.#readings.set(service, reading);
    this.#clock.after(SHARED_MS, () => this.#readings.delete(service));
    return reading;
  }
}
