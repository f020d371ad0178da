import type { SharedState } from './shared-state.ts';

/** A request that waits until an upstream has room for it. */
export interface Waiter {
  /**
   * Its turn has come: it picks, under the lock of the pool.
   * @returns false when there is still no room.
   */
  tryTurn(): boolean;
  /** It has waited long enough. */
  expired(): void;
}

/** In the line; `cancel` takes it out, in case it still is. */
export interface Waiting {
  cancel(): void;
}

interface Place {
  readonly waiter: Waiter;
  /** Milliseconds of the clock that all threads share. */
  readonly since: number;
}

/** A signal that got lost, with a thread that crashed, costs this long; milliseconds. */
const LOOK_AGAIN_MS = 100;

/**
 * The requests of one thread that wait for room in a pool, first come, first served; over all threads, the one that has
 * waited longest. Whoever makes room signals through the shared memory, and every thread with a line looks whether its
 * first is the oldest of all.
 */
export class WaitingLine {
  readonly #state: SharedState;
  readonly #pool: number;
  readonly #now: () => number;
  #places: Place[] = [];
  #watching = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(state: SharedState, pool: number, now: () => number) {
    this.#state = state;
    this.#pool = pool;
    this.#now = now;
  }

  /** To be called under the lock, right after there was no room. @param timeoutMs - how long it may wait. */
  add(waiter: Waiter, timeoutMs: number): Waiting {
    const place: Place = { waiter, since: this.#now() };
    this.#places.push(place);
    this.#publish();
    void this.#watch(this.#state.signals(this.#pool));
    this.#timer ??= setTimeout(() => this.#expire(timeoutMs), timeoutMs);
    return { cancel: () => this.#remove(place) };
  }

  /** Serves as many as there is room for, while the first of this line is the oldest of all. */
  #serve(): void {
    for (let [first] = this.#places; first !== undefined; [first] = this.#places) {
      if (!this.#takeTurn(first)) return;
      this.#state.signal(this.#pool); // the next may be another thread's
    }
  }

  #takeTurn(first: Place): boolean {
    this.#state.lock(this.#pool);
    try {
      if (!this.#state.isOldest(this.#pool) || !first.waiter.tryTurn()) return false;
      this.#remove(first);
      return true;
    } finally {
      this.#state.unlock(this.#pool);
    }
  }

  async #watch(seen: number): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    let signals = seen;
    while (this.#places.length > 0) {
      await this.#state.nextSignal(this.#pool, signals, LOOK_AGAIN_MS);
      signals = this.#state.signals(this.#pool);
      this.#serve();
    }
    this.#watching = false;
  }

  #expire(timeoutMs: number): void {
    this.#timer = null;
    const due = this.#now() - timeoutMs;
    for (let [first] = this.#places; first !== undefined && first.since <= due; [first] = this.#places) {
      this.#remove(first);
      first.waiter.expired();
    }
    const [first] = this.#places;
    if (first !== undefined) this.#timer = setTimeout(() => this.#expire(timeoutMs), Math.max(first.since - due, 1));
  }

  #remove(place: Place): void {
    const index = this.#places.indexOf(place);
    if (index === -1) return;
    this.#places.splice(index, 1);
    this.#publish();
    if (this.#places.length > 0 || this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #publish(): void {
    this.#state.setWaiting(this.#pool, this.#places.length, this.#places[0]?.since ?? 0);
  }
}
