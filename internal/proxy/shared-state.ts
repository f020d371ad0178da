import { HeimdallError } from '../model/errors.ts';

/** How many of each there is room for; memory is used as it is touched. */
export interface SharedSize {
  readonly upstreams: number;
  readonly pools: number;
  /** Worker threads; the main thread comes on top. */
  readonly threads: number;
}

/** More than one machine has ports for, and services than anybody writes into a file. */
export const ROOM = { upstreams: 32_768, pools: 1_024 };

const NOBODY = 0;
/** How often a held lock is asked for before the thread waits. */
const SPINS = 200;
const WAIT_MS = 1;
/**
 * A lock is held for microseconds: whoever still holds it after so many waits is not there any more. Counted, because a
 * process that is stopped and continued finds that time has passed for nobody.
 */
const LOST_WAITS = 1_000;

/**
 * What all threads of a load balancer know of its upstreams and pools, in one block of memory: columns, with an index (a
 * slot) for each upstream and for each pool. So what one thread picks, the others see at their next pick.
 *
 * The main thread gives slots out and takes them back; it alone writes lifecycle, health and weight. What balancing
 * writes is written under the lock of the pool, but for the counters of what ends, which are atomic.
 */
export class SharedState {
  readonly buffer: SharedArrayBuffer;
  readonly size: SharedSize;
  /** 0 for the main thread. */
  readonly thread: number;
  readonly weight: Float64Array;
  readonly current: Float64Array;
  readonly effective: Float64Array;
  readonly cost: Float64Array;
  readonly costAt: Float64Array;
  readonly picks: Float64Array;
  /** Grow with each upstream and are never used again; they order the candidates alike in all threads. */
  readonly ordinals: Float64Array;
  /** Whose turn it is, and how many picks are left of it: two numbers for each pool, see `Turn`. */
  readonly turns: Float64Array;
  /** The same for the turns among equals. */
  readonly ties: Float64Array;
  readonly failures: Int32Array;
  readonly lifecycle: Int32Array;
  readonly health: Int32Array;
  readonly #inFlight: Int32Array;
  /** What each thread has in flight by itself: `thread · upstreams + slot`. */
  readonly #ownInFlight: Int32Array;
  readonly #locks: Int32Array;
  readonly #epochs: Int32Array;
  /** Counts up whenever there may be room for a request that waits. */
  readonly #signals: Int32Array;
  /** How many requests wait in each thread: `thread · pools + pool`; and since when, see `setWaiting`. */
  readonly #waiting: Int32Array;
  readonly #waitingSince: Float64Array;

  private constructor(size: SharedSize, thread: number, buffer: SharedArrayBuffer) {
    this.size = size;
    this.thread = thread;
    this.buffer = buffer;
    const { upstreams, pools, threads } = size;
    let offset = 0;
    const floats = (length: number) => {
      const column = new Float64Array(buffer, offset, length);
      offset += column.byteLength;
      return column;
    };
    const integers = (length: number) => {
      const column = new Int32Array(buffer, offset, length);
      offset += column.byteLength;
      return column;
    };
    this.weight = floats(upstreams);
    this.current = floats(upstreams);
    this.effective = floats(upstreams);
    this.cost = floats(upstreams);
    this.costAt = floats(upstreams);
    this.picks = floats(upstreams);
    this.ordinals = floats(upstreams);
    this.turns = floats(2 * pools);
    this.ties = floats(2 * pools);
    this.#waitingSince = floats((threads + 1) * pools);
    this.failures = integers(upstreams);
    this.lifecycle = integers(upstreams);
    this.health = integers(upstreams);
    this.#inFlight = integers(upstreams);
    this.#locks = integers(pools);
    this.#epochs = integers(pools);
    this.#signals = integers(pools);
    this.#waiting = integers((threads + 1) * pools);
    this.#ownInFlight = integers((threads + 1) * upstreams);
  }

  static create(size: SharedSize): SharedState {
    const { upstreams, pools, threads } = size;
    const floats = 7 * upstreams + 4 * pools + (threads + 1) * pools;
    const integers = 4 * upstreams + 3 * pools + (threads + 1) * (upstreams + pools);
    return new SharedState(size, 0, new SharedArrayBuffer(8 * floats + 4 * integers));
  }

  /** The same memory as seen by a worker thread. @param thread - from 1; no two living threads have the same. */
  static attach(buffer: SharedArrayBuffer, size: SharedSize, thread: number): SharedState {
    return new SharedState(size, thread, buffer);
  }

  inFlight(slot: number): number {
    return this.#inFlight[slot] ?? 0;
  }

  /** All requests in flight of one thread; 0 is the main thread. */
  inFlightOf(thread: number): number {
    const { upstreams } = this.size;
    let sum = 0;
    for (let slot = 0; slot < upstreams; slot += 1) sum += this.#ownInFlight[thread * upstreams + slot] ?? 0;
    return sum;
  }

  claim(slot: number): void {
    Atomics.add(this.#inFlight, slot, 1);
    this.#addOwn(slot, 1);
  }

  release(slot: number): void {
    this.#addOwn(slot, -1);
    Atomics.sub(this.#inFlight, slot, 1);
  }

  /** Nobody else writes there while this thread lives. */
  #addOwn(slot: number, change: number): void {
    const own = this.thread * this.size.upstreams + slot;
    this.#ownInFlight[own] = (this.#ownInFlight[own] ?? 0) + change;
  }

  epoch(pool: number): number {
    return Atomics.load(this.#epochs, pool);
  }

  /** To be called by the main thread after any change of what may be picked; in force for every pick that follows. */
  bump(pool: number): void {
    this.lock(pool);
    Atomics.add(this.#epochs, pool, 1);
    this.unlock(pool);
    this.signal(pool);
  }

  /** How many requests wait for room in a pool, in all threads. */
  waiting(pool: number): number {
    let sum = 0;
    for (let at = pool; at < this.#waiting.length; at += this.size.pools) sum += Atomics.load(this.#waiting, at);
    return sum;
  }

  /**
   * Says how many wait in this thread.
   * @param since - of the first that others wait for; infinite when none of them is.
   */
  setWaiting(pool: number, count: number, since: number): void {
    const at = this.thread * this.size.pools + pool;
    this.#waitingSince[at] = since;
    Atomics.store(this.#waiting, at, count);
  }

  /** Since when the longest waiting request of all threads does that others wait for; infinite when there is none. */
  oldestWaiting(pool: number): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (let at = pool; at < this.#waiting.length; at += this.size.pools) {
      if (Atomics.load(this.#waiting, at) > 0) oldest = Math.min(oldest, this.#waitingSince[at] ?? oldest);
    }
    return oldest;
  }

  /**
   * There may be room: whoever waits shall look. Counted even while nobody waits, since somebody may be about to: who is
   * says so first and looks at the count afterwards, we count first and look for them afterwards.
   */
  signal(pool: number): void {
    Atomics.add(this.#signals, pool, 1);
    if (this.waiting(pool) > 0) Atomics.notify(this.#signals, pool);
  }

  signals(pool: number): number {
    return Atomics.load(this.#signals, pool);
  }

  /** Resolves when there was a signal after the given one, at the latest after `timeoutMs`. */
  async nextSignal(pool: number, seen: number, timeoutMs: number): Promise<void> {
    const wait = Atomics.waitAsync(this.#signals, pool, seen, timeoutMs);
    if (wait.async) await wait.value;
  }

  /** Nobody else picks from the pool until `unlock`, which must follow without any wait. */
  lock(pool: number): void {
    const me = this.thread + 1;
    if (Atomics.compareExchange(this.#locks, pool, NOBODY, me) === NOBODY) return;
    let holder = NOBODY;
    let waits = 0;
    for (let tries = 1; Atomics.compareExchange(this.#locks, pool, NOBODY, me) !== NOBODY; tries += 1) {
      if (tries % SPINS !== 0) continue;
      const present = Atomics.load(this.#locks, pool);
      if (present !== holder) {
        holder = present;
        waits = 0;
      }
      if (waits >= LOST_WAITS) Atomics.compareExchange(this.#locks, pool, holder, NOBODY);
      else if (holder !== NOBODY) Atomics.wait(this.#locks, pool, holder, WAIT_MS);
      waits += 1;
    }
  }

  unlock(pool: number): void {
    Atomics.compareExchange(this.#locks, pool, this.thread + 1, NOBODY); // it may have been taken from us, see `LOST_WAITS`
  }

  /** Undoes what a thread that is gone has left: its requests in flight, and the locks it held. */
  takeOff(thread: number): void {
    for (let pool = 0; pool < this.size.pools; pool += 1)
      Atomics.compareExchange(this.#locks, pool, thread + 1, NOBODY);
    const { upstreams, pools } = this.size;
    for (let pool = 0; pool < pools; pool += 1) {
      if (Atomics.exchange(this.#waiting, thread * pools + pool, 0) > 0) this.signal(pool);
    }
    for (let slot = 0; slot < upstreams; slot += 1) {
      const own = Atomics.exchange(this.#ownInFlight, thread * upstreams + slot, 0);
      if (own !== 0) Atomics.sub(this.#inFlight, slot, own);
    }
  }

  /** Makes a slot ready for another upstream. */
  clear(slot: number, ordinal: number): void {
    this.ordinals[slot] = ordinal;
    this.current[slot] = 0;
    this.effective[slot] = Number.NaN;
    this.cost[slot] = Number.NaN;
    this.costAt[slot] = 0;
    this.picks[slot] = 0;
    this.failures[slot] = 0;
    Atomics.store(this.#inFlight, slot, 0);
  }
}

/** Gives out the slots of a `SharedState`; of the main thread alone. */
export class SlotAllocator {
  readonly state: SharedState;
  /** Grows with every picture that the other threads are sent. */
  generation = 0;
  /** Whether all of them have one of a later generation in force; without other threads, always. */
  isPast: (generation: number) => boolean = () => true;
  #nextUpstream = 0;
  #nextPool = 0;
  #ordinal = 0;
  readonly #retired: Retired[] = [];
  readonly #retiredPools: Retired[] = [];

  constructor(state: SharedState) {
    this.state = state;
  }

  /** @throws {HeimdallError} CAPACITY_EXCEEDED */
  upstream(): number {
    const isFree = ({ slot, generation }: Retired) => this.state.inFlight(slot) === 0 && this.isPast(generation);
    const slot = reusable(this.#retired, isFree) ?? this.#nextUpstream;
    if (slot === this.#nextUpstream) this.#nextUpstream += 1;
    if (slot >= this.state.size.upstreams) throw tooMany(`${this.state.size.upstreams} instances`);
    this.#ordinal += 1;
    this.state.clear(slot, this.#ordinal);
    return slot;
  }

  /** The place is used again once no request runs on the upstream, and no thread knows it any more. */
  retire(slot: number): void {
    this.#retired.push({ slot, generation: this.generation });
  }

  retirePool(slot: number): void {
    this.#retiredPools.push({ slot, generation: this.generation });
  }

  /** @throws {HeimdallError} CAPACITY_EXCEEDED */
  pool(): number {
    const isFree = ({ slot, generation }: Retired) => this.state.waiting(slot) === 0 && this.isPast(generation);
    const pool = reusable(this.#retiredPools, isFree) ?? this.#nextPool;
    if (pool === this.#nextPool) this.#nextPool += 1;
    if (pool >= this.state.size.pools) throw tooMany(`${this.state.size.pools} services`);
    return pool;
  }
}

/** A place that was given back, and the generation that was in force then. */
interface Retired {
  readonly slot: number;
  readonly generation: number;
}

function reusable(retired: Retired[], isFree: (candidate: Retired) => boolean): number | undefined {
  const index = retired.findIndex(isFree);
  return index === -1 ? undefined : retired.splice(index, 1)[0]?.slot;
}

function tooMany(what: string): HeimdallError {
  return new HeimdallError('CAPACITY_EXCEEDED', `This load balancer has room for ${what}.`);
}
