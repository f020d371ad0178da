import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Algorithm } from '../../internal/model/algorithms.ts';
import { SharedState } from '../../internal/proxy/shared-state.ts';
import { SlotAllocator } from '../../internal/proxy/slot-allocator.ts';
import { Upstream } from '../../internal/proxy/upstream.ts';
import type { BalancingResult, BalancingTask } from '../support/balancing-thread.ts';
import { instance } from '../support/proxy-fakes.ts';

const SCRIPT = join(import.meta.dirname, '../support/balancing-thread.ts');
const SIZE = { upstreams: 16, pools: 2, threads: 4 };
const THREADS = [1, 2, 3, 4];

interface Course {
  readonly algorithm: Algorithm;
  readonly weights: readonly number[];
  /** Of each thread. */
  readonly picks: number;
  readonly concurrency: number;
}

/** The memory of one pool, with the threads that balance over it; they begin together. */
class Crowd {
  readonly state = SharedState.create(SIZE);
  readonly pool: number;
  readonly upstreams: readonly Upstream[];
  readonly #course: Course;
  readonly #gate = new Int32Array(new SharedArrayBuffer(8));

  constructor(course: Course) {
    const slots = new SlotAllocator(this.state);
    this.#course = course;
    this.pool = slots.pool();
    this.upstreams = course.weights.map(
      (weight, n) => new Upstream(instance(`web-${n}`, { weight }), { state: this.state, slot: slots.upstream() }),
    );
    for (const upstream of this.upstreams) upstream.health = 'healthy';
  }

  start(thread: number, halts = false): Worker {
    const { state, pool } = this;
    const { algorithm, picks, concurrency } = this.#course;
    const slots = this.upstreams.map(({ slot }) => slot);
    const place = { buffer: state.buffer, size: state.size, thread, pool, slots, gate: this.#gate };
    const workerData: BalancingTask = { ...place, algorithm, picks, concurrency, halts };
    return new Worker(SCRIPT, { workerData });
  }

  /** Lets the threads begin once so many are ready. */
  async begin(threads: number): Promise<void> {
    for (let ready = 0; ready < threads; ready = Atomics.load(this.#gate, 0)) {
      const waiting = Atomics.waitAsync(this.#gate, 0, ready);
      if (waiting.async) await waiting.value;
    }
    Atomics.store(this.#gate, 1, 1);
    Atomics.notify(this.#gate, 1);
  }

  inFlight(): number[] {
    return this.upstreams.map((upstream) => upstream.inFlight);
  }

  /** Of the count that the pool itself keeps. */
  picks(): number[] {
    return this.upstreams.map((upstream) => upstream.picks);
  }
}

/** What the worker reports when it is through. */
async function resultOf(worker: Worker): Promise<BalancingResult> {
  const [result]: BalancingResult[] = await once(worker, 'message');
  return result ?? assert.fail();
}

async function balance(course: Course): Promise<{ crowd: Crowd; results: BalancingResult[]; picked: number[] }> {
  const crowd = new Crowd(course);
  const running = THREADS.map((thread) => resultOf(crowd.start(thread)));
  await crowd.begin(THREADS.length);
  const results = await Promise.all(running);
  const picked = course.weights.map((_, index) => results.reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0));
  return { crowd, results, picked };
}

describe('four threads over one memory', () => {
  it('give each of k upstreams exactly its k-th of the picks, round robin', async () => {
    const weights = [1, 1, 1, 1, 1, 1, 1];
    const { crowd, picked } = await balance({ algorithm: 'round-robin', weights, picks: 7_000, concurrency: 8 });
    assert.deepEqual(picked, Array(7).fill(4_000));
    assert.deepEqual(crowd.picks(), picked);
    assert.deepEqual(crowd.inFlight(), Array(7).fill(0));
  });

  it('give heavy upstreams exactly their turns, round robin', async () => {
    const course = { weights: [3, 1, 0.5, 2.5], picks: 7_000, concurrency: 8 };
    const { picked } = await balance({ algorithm: 'round-robin', ...course });
    assert.deepEqual(picked, [12_000, 4_000, 2_000, 10_000]);
  });

  it('give every weight exactly its share over whole rounds, smooth weighted', async () => {
    const course = { weights: [5, 1, 1], picks: 7_000, concurrency: 8 };
    const { crowd, picked } = await balance({ algorithm: 'weighted-round-robin', ...course });
    assert.deepEqual(picked, [20_000, 4_000, 4_000]);
    assert.deepEqual(crowd.inFlight(), [0, 0, 0]);
  });

  it('keep the requests in flight level while they are only added, least connections', async () => {
    const course = { weights: [1, 1, 1, 1, 1], picks: 5_000, concurrency: 5_000 };
    const { crowd, results, picked } = await balance({ algorithm: 'least-connections', ...course });
    for (const { spread, misplaced } of results) assert.deepEqual({ spread, misplaced }, { spread: 1, misplaced: 0 });
    assert.equal(
      picked.reduce((sum, count) => sum + count, 0),
      20_000,
    );
    assert.deepEqual(crowd.inFlight(), [0, 0, 0, 0, 0]);
  });

  it('pick none while another one has fewer requests in flight, least connections', async () => {
    const course = { weights: [1, 1, 1, 1, 1], picks: 5_000, concurrency: 9 };
    const { crowd, results } = await balance({ algorithm: 'least-connections', ...course });
    for (const { misplaced } of results) assert.equal(misplaced, 0);
    assert.deepEqual(crowd.inFlight(), [0, 0, 0, 0, 0]);
  });

  it('lose nothing when one of them dies with requests in flight and with the lock in its hand', async (t: TestContext) => {
    const course = { weights: [1, 1, 1], picks: 5, concurrency: 5 };
    const crowd = new Crowd({ algorithm: 'least-connections', ...course });
    const dying = crowd.start(4, true);
    const halted = once(dying, 'message');
    await crowd.begin(1);
    assert.deepEqual(await halted, ['halted']);
    assert.deepEqual(
      crowd.inFlight().toSorted((a, b) => b - a),
      [2, 2, 1],
    );
    await dying.terminate();
    crowd.state.takeOff(4);
    assert.deepEqual(crowd.inFlight(), [0, 0, 0]);
    t.mock.method(performance, 'now', () => assert.fail('the lock is held')); // asked for before any wait
    crowd.state.lock(crowd.pool);
    crowd.state.unlock(crowd.pool);
    t.mock.restoreAll();
    const others = [1, 2, 3].map((thread) => resultOf(crowd.start(thread)));
    for (const { misplaced } of await Promise.all(others)) assert.equal(misplaced, 0);
    assert.deepEqual(crowd.inFlight(), [0, 0, 0]);
  });
});
