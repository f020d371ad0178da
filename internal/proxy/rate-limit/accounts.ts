import { SharedLocks } from '../shared-locks.ts';
import { isGranted, levelWith, type Rule } from './gcra.ts';
import type { Words } from './half-sip-hash.ts';

/** How many accounts share a lock, and compete for the same places. */
const WAYS = 8;
/** How many bits of the hash a float can hold; the others say which set it is. */
const PRINT_BITS = 53;

export interface AccountsSize {
  /** Room for so many clients; 8 times a power of two. */
  readonly clients: number;
  /** Worker threads; the main thread comes on top. */
  readonly threads: number;
}

/**
 * What is kept of clients under their limits, in memory that all threads share: a table of fixed size, in which each account
 * is a fingerprint of limit and client, and the time at which the client's bucket will be empty. A place is free when that has
 * passed. The accounts are in sets of eight, each with a lock of its own; where all eight are in use, the one that would be free
 * first is given up, and its client begins anew.
 */
export class Accounts {
  readonly clients: number;
  readonly #prints: Float64Array;
  /** Milliseconds of the monotonic clock that all threads share. */
  readonly #emptyAt: Float64Array;
  /** For each thread, so that nothing is lost. */
  readonly #givenUp: Float64Array;
  readonly #locks: SharedLocks;
  readonly #thread: number;
  readonly #lastSet: number;

  /** @param buffer - `bytes` of it, from `offset` on, which is a multiple of 8. */
  constructor({ clients, threads }: AccountsSize, thread: number, buffer: SharedArrayBuffer, offset: number) {
    const sets = clients / WAYS;
    this.clients = clients;
    this.#thread = thread;
    this.#lastSet = sets - 1;
    this.#prints = new Float64Array(buffer, offset, clients);
    this.#emptyAt = new Float64Array(buffer, offset + 8 * clients, clients);
    this.#givenUp = new Float64Array(buffer, offset + 16 * clients, threads + 1);
    this.#locks = new SharedLocks(new Int32Array(buffer, offset + 16 * clients + 8 * (threads + 1), sets), thread);
  }

  static bytes({ clients, threads }: AccountsSize): number {
    return 16 * clients + 8 * (threads + 1) + 4 * (clients / WAYS);
  }

  /**
   * Counts a request, unless it is one too many.
   * @param client - a hash of limit and client, which nobody can foresee.
   * @returns the level of the client's bucket with the request, see `verdictOf`.
   */
  charge(client: Words, now: number, rule: Rule): number {
    const set = client.low & this.#lastSet;
    const print = printOf(client);
    this.#locks.lock(set);
    try {
      const place = this.#placeFor(print, set * WAYS);
      const isKnown = this.#prints[place] === print;
      const emptyAt = this.#emptyAt[place] ?? 0;
      const level = levelWith(isKnown ? emptyAt : now, now, rule);
      if (!isGranted(level, rule)) return level;
      if (!isKnown && emptyAt > now) this.#givenUp[this.#thread] = (this.#givenUp[this.#thread] ?? 0) + 1;
      this.#prints[place] = print;
      this.#emptyAt[place] = now + level;
      return level;
    } finally {
      this.#locks.unlock(set);
    }
  }

  /** The place of an account; of one that is not there, the place that is free, or will be first. */
  #placeFor(print: number, from: number): number {
    let first = from;
    let earliest = Number.POSITIVE_INFINITY;
    for (let place = from; place < from + WAYS; place += 1) {
      if (this.#prints[place] === print) return place;
      const emptyAt = this.#emptyAt[place] ?? 0;
      if (emptyAt >= earliest) continue;
      earliest = emptyAt;
      first = place;
    }
    return first;
  }

  /** How many clients have a bucket that is not empty. */
  inUse(now: number): number {
    return this.#emptyAt.reduce((sum, emptyAt) => sum + (emptyAt > now ? 1 : 0), 0);
  }

  /** How many accounts were given up before their time, for lack of room. */
  get givenUp(): number {
    return this.#givenUp.reduce((sum, count) => sum + count, 0);
  }

  /** Frees the locks of a thread that is gone. */
  takeOff(thread: number): void {
    this.#locks.takeOff(thread);
  }
}

/** With the bits that chose the set it tells accounts apart by all 64, in a table of 2^14 clients or more. */
function printOf({ low, high }: Words): number {
  return (high >>> 0) * 2 ** (PRINT_BITS - 32) + (low >>> (64 - PRINT_BITS));
}
