import { GAUGE_NUMBERS } from './line-gauge.ts';
import { ConnectionCounts } from './connection-counts.ts';
import { LatencyHistograms } from './latency-histograms.ts';
import { Observations } from './observations.ts';
import { RequestCounts } from './request-counts.ts';
import { SharedLocks } from './shared-locks.ts';

/** How many of each there is room for; memory is used as it is touched. */
export interface SharedSize {
  readonly upstreams: number;
  readonly pools: number;
  /** Worker threads; the main thread comes on top. */
  readonly threads: number;
}

/**
 * What all threads of a load balancer know of its upstreams and pools, in one block of memory: columns, with an index (a
 * slot) for each upstream and for each pool. So what one thread picks, the others see at their next pick.
 *
 * The main thread gives slots out and takes them back; it alone writes lifecycle, health, standing and weight. What balancing
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
  /** How the lines of those who wait move, see `LineGauge`. */
  readonly lines: Float64Array;
  readonly failures: Int32Array;
  readonly lifecycle: Int32Array;
  readonly health: Int32Array;
  /** Whether it gets requests, as far as those it got say: an index of `STANDINGS`. */
  readonly standing: Int32Array;
  /** 1: nobody could connect to it lately, so that a request sent there takes nothing off the others. */
  readonly unreachable: Int32Array;
  /** How many requests without a response head each may have, as the main thread has found out; 0: not known. */
  readonly concurrency: Int32Array;
  /** 1: that has kept a request away. */
  readonly full: Int32Array;
  /** How many requests may still try out an upstream that is on trial. */
  readonly #trials: Int32Array;
  readonly observations: Observations;
  readonly requestCounts: RequestCounts;
  readonly connections: ConnectionCounts;
  /** Of attempts, by upstream, to their response heads. */
  readonly latencies: LatencyHistograms;
  /** Of requests, by pool, to their ends. */
  readonly durations: LatencyHistograms;
  readonly #inFlight: Int32Array;
  /** What each thread has in flight by itself: `thread · upstreams + slot`. */
  readonly #ownInFlight: Int32Array;
  readonly #locks: SharedLocks;
  readonly #epochs: Int32Array;
  /** Counts up whenever there may be room for a request that waits. */
  readonly #signals: Int32Array;
  /** Pools whose new requests are held: 1. */
  readonly #paused: Int32Array;
  /** How many requests wait in each thread: `thread · pools + pool`; and since when, see `setWaiting`. */
  readonly #waiting: Int32Array;
  readonly #waitingSince: Float64Array;
  /** Of each thread, as above; see `countApart`. */
  readonly #apart: Float64Array;

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
    this.lines = floats(GAUGE_NUMBERS * pools);
    this.#waitingSince = floats((threads + 1) * pools);
    this.#apart = floats((threads + 1) * pools);
    this.requestCounts = new RequestCounts(size, thread, floats);
    this.connections = new ConnectionCounts(size, thread, floats);
    this.observations = new Observations(size, thread, { floats, integers }); // the last floats, the first integers
    this.failures = integers(upstreams);
    this.lifecycle = integers(upstreams);
    this.health = integers(upstreams);
    this.standing = integers(upstreams);
    this.unreachable = integers(upstreams);
    this.concurrency = integers(upstreams);
    this.full = integers(upstreams);
    this.#trials = integers(upstreams);
    this.#inFlight = integers(upstreams);
    this.#locks = new SharedLocks(integers(pools), thread);
    this.#epochs = integers(pools);
    this.#signals = integers(pools);
    this.#paused = integers(pools);
    this.#waiting = integers((threads + 1) * pools);
    this.#ownInFlight = integers((threads + 1) * upstreams);
    this.latencies = new LatencyHistograms(size, thread, integers);
    this.durations = new LatencyHistograms(ofPools(size), thread, integers);
  }

  static create(size: SharedSize): SharedState {
    const { upstreams, pools, threads } = size;
    const observed = Observations.size(size);
    const shared = 2 * (threads + 1) * pools + RequestCounts.size(size) + ConnectionCounts.size(size) + observed.floats;
    const floats = 7 * upstreams + (4 + GAUGE_NUMBERS) * pools + shared;
    const own = (threads + 1) * (upstreams + pools);
    const histograms = LatencyHistograms.size(size) + LatencyHistograms.size(ofPools(size));
    const integers = 9 * upstreams + 4 * pools + own + observed.integers + histograms;
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

  /** To be called by the main thread: so many more requests may try the upstream out. */
  grantTrials(slot: number, requests: number): void {
    Atomics.store(this.#trials, slot, requests);
  }

  trials(slot: number): number {
    return Atomics.load(this.#trials, slot);
  }

  /** Takes one of them; under the lock of the pool. */
  takeTrial(slot: number): void {
    Atomics.sub(this.#trials, slot, 1);
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

  paused(pool: number): boolean {
    return this.#paused[pool] === 1;
  }

  /** To be called by the main thread, which must `bump` the pool after it. */
  setPaused(pool: number, paused: boolean): void {
    this.#paused[pool] = paused ? 1 : 0;
  }

  /** Corrects the number of picks to that of requests, see `requestsApart`; under the lock. */
  countApart(pool: number, requests: number): void {
    const at = this.thread * this.size.pools + pool;
    this.#apart[at] = (this.#apart[at] ?? 0) + requests;
  }

  /** How many more requests came to a pool than its upstreams were picked: some got none, others got several. */
  requestsApart(pool: number): number {
    let sum = 0;
    for (let at = pool; at < this.#apart.length; at += this.size.pools) sum += this.#apart[at] ?? 0;
    return sum;
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
    this.#locks.lock(pool);
  }

  unlock(pool: number): void {
    this.#locks.unlock(pool);
  }

  /** Undoes what a thread that is gone has left: its requests in flight, and the locks it held. */
  takeOff(thread: number): void {
    this.#locks.takeOff(thread);
    const { upstreams, pools } = this.size;
    for (let pool = 0; pool < pools; pool += 1) {
      if (Atomics.exchange(this.#waiting, thread * pools + pool, 0) > 0) this.signal(pool);
    }
    for (let slot = 0; slot < upstreams; slot += 1) {
      const own = Atomics.exchange(this.#ownInFlight, thread * upstreams + slot, 0);
      if (own !== 0) Atomics.sub(this.#inFlight, slot, own);
    }
    this.observations.takeOff(thread);
    this.connections.takeOff(thread);
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
    this.standing[slot] = 0;
    this.unreachable[slot] = 0;
    this.concurrency[slot] = 0;
    this.full[slot] = 0;
    this.grantTrials(slot, 0);
    this.observations.clear(slot);
    this.connections.clear(slot);
    this.latencies.clear(slot);
    Atomics.store(this.#inFlight, slot, 0);
  }

  /** Makes the place of a pool ready for another one. */
  clearPool(pool: number): void {
    this.setPaused(pool, false);
    this.requestCounts.clear(pool);
    this.durations.clear(pool);
    for (let at = pool; at < this.#apart.length; at += this.size.pools) this.#apart[at] = 0;
    this.lines.fill(0, GAUGE_NUMBERS * pool, GAUGE_NUMBERS * (pool + 1));
  }
}

/** The size of histograms that have a row for each pool. */
function ofPools({ pools, threads }: SharedSize): SharedSize {
  return { upstreams: pools, pools, threads };
}
