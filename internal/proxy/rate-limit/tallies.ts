import { MAX_RATE_LIMITS } from '../../model/room.ts';
import type { Words } from './half-sip-hash.ts';

/** What became of the requests under a limit. */
export interface Tally {
  readonly granted: number;
  readonly refused: number;
}

const NO_LIMIT: Words = { low: 0, high: 0 };

/**
 * Counts the requests under each limit, in memory that all threads share. The main thread gives each limit a place, where the
 * others find it by its hash; each thread has a row of its own, so that nothing is lost and nothing waits.
 */
export class Tallies {
  /** Two words for each place. */
  readonly #limits: Int32Array;
  readonly #granted: Float64Array;
  readonly #refused: Float64Array;
  /** Where the row of this thread begins. */
  readonly #own: number;
  /** Of the main thread alone, as is what follows. */
  readonly #places = new Map<string, number>();
  #next = 0;
  /** What was given back last is used again last: threads may go on counting there until they have heard of it. */
  readonly #free: number[] = [];

  /** @param buffer - `bytes` of it, from `offset` on, which is a multiple of 8. */
  constructor(threads: number, thread: number, buffer: SharedArrayBuffer, offset: number) {
    const rows = (threads + 1) * MAX_RATE_LIMITS;
    this.#own = thread * MAX_RATE_LIMITS;
    this.#granted = new Float64Array(buffer, offset, rows);
    this.#refused = new Float64Array(buffer, offset + 8 * rows, rows);
    this.#limits = new Int32Array(buffer, offset + 16 * rows, 2 * MAX_RATE_LIMITS);
  }

  static bytes(threads: number): number {
    return 16 * (threads + 1) * MAX_RATE_LIMITS + 8 * MAX_RATE_LIMITS;
  }

  /** To be called by the main thread with all limits that are configured, before any other thread counts for one. */
  keep(limits: readonly Words[]): void {
    const wanted = new Map(limits.map((limit) => [nameOf(limit), limit]));
    for (const [name, place] of this.#places) {
      if (wanted.has(name)) continue;
      this.#places.delete(name);
      this.#begin(place, NO_LIMIT);
      this.#free.push(place);
    }
    for (const [name, limit] of wanted) {
      if (this.#places.has(name)) continue;
      const place = this.#next < MAX_RATE_LIMITS ? this.#next++ : this.#free.shift();
      if (place === undefined) return; // more than a configuration may have
      this.#places.set(name, place);
      this.#begin(place, limit);
    }
  }

  #begin(place: number, { low, high }: Words): void {
    for (let at = place; at < this.#granted.length; at += MAX_RATE_LIMITS) {
      this.#granted[at] = 0;
      this.#refused[at] = 0;
    }
    this.#limits[2 * place] = low;
    this.#limits[2 * place + 1] = high;
  }

  /** Null: it is configured no more. */
  placeOf({ low, high }: Words): number | null {
    for (let place = 0; place < MAX_RATE_LIMITS; place += 1) {
      if (this.#limits[2 * place] === low && this.#limits[2 * place + 1] === high) return place;
    }
    return null;
  }

  count(place: number, granted: boolean): void {
    const column = granted ? this.#granted : this.#refused;
    const at = this.#own + place;
    column[at] = (column[at] ?? 0) + 1;
  }

  /** Of all threads. */
  of(place: number): Tally {
    let [granted, refused] = [0, 0];
    for (let at = place; at < this.#granted.length; at += MAX_RATE_LIMITS) {
      granted += this.#granted[at] ?? 0;
      refused += this.#refused[at] ?? 0;
    }
    return { granted, refused };
  }
}

function nameOf({ low, high }: Words): string {
  return `${low}:${high}`;
}
