import type { SharedState } from './shared-state.ts';

/** A request that waits until an upstream has room for it, or the pool gives leases again. */
export interface Waiter {
  /**
   * It does not take every upstream, as a retry does not take those that were tried: while others have room, nobody is
   * to wait for it.
   */
  readonly isChoosy: boolean;
  /** How long it may wait in all, in milliseconds, as things are; it waits longer while somebody before it may. */
  patience(): number;
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
  /** In milliseconds of the clock that all threads share. */
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
  readonly #places: Place[] = [];
  #watching = false;
  #timer: NodeJS.Timeout | null = null;
  /** When it goes off. */
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(state: SharedState, pool: number, now: () => number) {
    this.#state = state;
    this.#pool = pool;
    this.#now = now;
  }

  /**
   * To be called under the lock, right after there was no room.
   * @param signals - how many there had been before it was seen that there was no room.
   */
  add(waiter: Waiter, signals: number): Waiting {
    const place: Place = { waiter, since: this.#now() };
    this.#places.push(place);
    this.#publish();
    if (!this.#watching) void this.#watch(signals);
    else if (this.#state.signals(this.#pool) !== signals) queueMicrotask(() => this.#serve()); // the lock is held here
    this.#setTimer();
    return { cancel: () => this.#remove(place) };
  }

  /** Gives everybody their turn for whom there is room, unless somebody older has to wait, here or in another thread. */
  #serve(): void {
    this.#state.lock(this.#pool);
    try {
      let passed = 0;
      for (let place = this.#places[0]; place !== undefined; place = this.#places[passed]) {
        if (this.#state.oldestWaiting(this.#pool) < place.since) return;
        if (place.waiter.tryTurn()) this.#remove(place);
        else if (place.waiter.isChoosy) passed += 1;
        else return;
      }
    } finally {
      this.#state.unlock(this.#pool);
    }
  }

  async #watch(seen: number): Promise<void> {
    this.#watching = true;
    let signals = seen;
    while (this.#places.length > 0) {
      await this.#state.nextSignal(this.#pool, signals, LOOK_AGAIN_MS);
      signals = this.#state.signals(this.#pool);
      this.#serve();
      this.#expire(); // also when patience has become shorter meanwhile
    }
    this.#watching = false;
  }

  #setTimer(): void {
    const [first] = this.#places;
    if (first === undefined) return;
    const end = endOf(first);
    if (this.#timer !== null && this.#timerAt <= end) return;
    this.#stopTimer();
    this.#timerAt = end;
    this.#timer = setTimeout(() => this.#wake(), Math.max(end - this.#now(), 1));
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  /** Whoever has a turn by now does not go away without: this thread may have been busy for longer than they may wait. */
  #wake(): void {
    this.#stopTimer();
    this.#serve();
    this.#expire();
  }

  #expire(): void {
    const now = this.#now();
    for (let [first] = this.#places; first !== undefined && endOf(first) <= now; [first] = this.#places) {
      this.#remove(first);
      first.waiter.expired();
    }
    this.#setTimer();
  }

  #remove(place: Place): void {
    const index = this.#places.indexOf(place);
    if (index === -1) return;
    this.#places.splice(index, 1);
    this.#publish();
    this.#state.signal(this.#pool); // the oldest may be another thread's now
    if (this.#places.length === 0) this.#stopTimer();
  }

  #publish(): void {
    const first = this.#places.find(({ waiter }) => !waiter.isChoosy);
    this.#state.setWaiting(this.#pool, this.#places.length, first?.since ?? Number.POSITIVE_INFINITY);
  }
}

/** Asked for when it seems to have come: what a request waits for may have changed meanwhile. */
function endOf({ since, waiter }: Place): number {
  return since + waiter.patience();
}
