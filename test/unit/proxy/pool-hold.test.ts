import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PickContext } from '../../../internal/algorithms/balancer.ts';
import { RoundRobin } from '../../../internal/algorithms/round-robin.ts';
import { Lease } from '../../../internal/proxy/lease.ts';
import { Pool } from '../../../internal/proxy/pool.ts';
import type { PoolLimits, Refusal } from '../../../internal/proxy/pool-parts.ts';
import { SharedState } from '../../../internal/proxy/shared-state.ts';
import { SlotAllocator } from '../../../internal/proxy/slot-allocator.ts';
import { Upstream } from '../../../internal/proxy/upstream.ts';
import type { Waiting } from '../../../internal/proxy/waiting-line.ts';
import { instance } from '../../support/proxy-fakes.ts';
import { eventually } from '../../support/proxy-raw.ts';

const SIZE = { upstreams: 8, pools: 2, threads: 2 };
const CONTEXT: PickContext = { hash: () => 0, affinity: () => undefined, now: () => 0 };
const LIMITS: PoolLimits = {
  maxConnections: null,
  adaptiveConcurrency: null,
  queue: { limit: 0, timeout: 0, shed: true },
  hold: { limit: 10, timeout: 60_000 },
  scaleFromZero: false,
  healthCheck: { neverEmpty: true },
  panicThreshold: 0,
  outlierDetection: { consecutiveErrors: null, interval: 0 },
};

/** The pool of the main thread, and those of two others over the same memory. */
class Crowd implements Disposable {
  readonly slots = new SlotAllocator(SharedState.create(SIZE));
  readonly main: Pool;
  readonly threads: readonly [Pool, Pool];
  readonly upstreams: Upstream[] = [];
  /** What became of whom, in order. */
  readonly ends: string[] = [];
  readonly leases: Lease[] = [];
  heldTold = 0;
  readonly #waiting: Waiting[] = [];
  #now = 0;
  #ordinal = 0;

  constructor(limits: Partial<PoolLimits> = {}) {
    const place = this.slots.pool();
    const poolOf = (state: SharedState) => {
      const events = { connectFailed() {}, drained() {}, held: () => void (this.heldTold += 1) };
      const pool = new Pool('web', new RoundRobin(), events, () => this.#now, { state, pool: place });
      pool.limits = { ...LIMITS, ...limits };
      return pool;
    };
    const attach = (thread: number) => SharedState.attach(this.slots.state.buffer, SIZE, thread);
    this.main = poolOf(this.slots.state);
    this.threads = [poolOf(attach(1)), poolOf(attach(2))];
  }

  /** One more upstream, which the threads are told of at once. */
  add(id = `web-${this.#ordinal}`): Upstream {
    this.#ordinal += 1;
    const slot = this.slots.upstream();
    const row = instance(id);
    const upstream = new Upstream(row, { state: this.slots.state, slot });
    upstream.health = 'healthy';
    this.main.put(upstream);
    const attached = [1, 2].map((thread) => SharedState.attach(this.slots.state.buffer, SIZE, thread));
    this.threads.forEach((pool, index) => {
      const state = attached[index] ?? assert.fail();
      pool.put(new Upstream(row, { state, slot }));
    });
    this.main.invalidate();
    this.upstreams.push(upstream);
    return upstream;
  }

  remove(upstream: Upstream): void {
    for (const pool of [this.main, ...this.threads]) pool.delete(upstream.id);
  }

  /** A request in one of the threads, later than all before. */
  ask(name: string, thread: 0 | 1 = 0, tried: readonly Upstream[] = []): Waiting | null {
    this.#now += 1;
    const turn = (found: Lease | Refusal) => {
      if (found instanceof Lease) this.leases.push(found);
      this.ends.push(found instanceof Lease ? name : `${name}: ${found}`);
    };
    const found = this.threads[thread].acquire(CONTEXT, tried, { turn });
    if (found instanceof Lease || typeof found === 'string') turn(found);
    else this.#waiting.push(found);
    return found instanceof Lease || typeof found === 'string' ? null : found;
  }

  [Symbol.dispose](): void {
    for (const waiting of this.#waiting) waiting.cancel();
  }

  async ended(...ends: string[]): Promise<void> {
    await eventually(ends.join(', '), () => this.ends.length >= ends.length);
    assert.deepEqual(this.ends, ends);
  }
}

describe('a paused pool', () => {
  it('gives no lease to new requests, in any thread, and gives them in the order of arrival when it goes on', async () => {
    using crowd = new Crowd();
    crowd.add();
    crowd.main.paused = true;
    for (const [name, thread] of [
      ['a', 1],
      ['b', 0],
      ['c', 0],
      ['d', 1],
      ['e', 0],
    ] as const)
      crowd.ask(name, thread);
    assert.deepEqual([crowd.ends, crowd.main.waiting], [[], 5]);
    crowd.main.paused = false;
    await crowd.ended('a', 'b', 'c', 'd', 'e');
    assert.equal(crowd.main.waiting, 0);
  });

  it('lets nobody who comes after it overtake those who were held', async () => {
    using crowd = new Crowd();
    crowd.add();
    crowd.main.paused = true;
    crowd.ask('held', 1);
    crowd.main.paused = false;
    crowd.ask('late', 0);
    await crowd.ended('held', 'late');
    crowd.ask('later', 0);
    assert.deepEqual(crowd.ends, ['held', 'late', 'later']);
  });

  it('leaves alone what runs, and lets a request that has begun go on elsewhere', () => {
    using crowd = new Crowd();
    const first = crowd.add();
    crowd.add();
    crowd.ask('runs');
    assert.equal(crowd.main.get(first.id)?.inFlight, 1);
    crowd.main.paused = true;
    crowd.ask('retry', 0, [first]);
    assert.deepEqual(crowd.ends, ['runs', 'retry']);
  });

  it('refuses at once what is beyond its limit, over all threads', () => {
    using crowd = new Crowd({ hold: { limit: 2, timeout: 60_000 } });
    crowd.add();
    crowd.main.paused = true;
    const [first] = [crowd.ask('a', 0), crowd.ask('b', 1)];
    crowd.ask('c', 0);
    crowd.ask('d', 1);
    assert.deepEqual(crowd.ends, ['c: held', 'd: held']);
    first?.cancel();
    crowd.ask('e', 1);
    assert.equal(crowd.ends.length, 2);
    assert.equal(crowd.main.waiting, 2);
  });

  it('tells whoever has been held long enough', async () => {
    using crowd = new Crowd({ hold: { limit: 2, timeout: 5 } });
    crowd.add();
    crowd.main.paused = true;
    crowd.ask('a');
    crowd.ask('b'); // time goes on with each request
    for (let n = 0; n < 10; n += 1) crowd.ask(`x${n}`, 0);
    await eventually('both gave up', () => crowd.ends.includes('a: held') && crowd.ends.includes('b: held'));
  });

  it('keeps those who waited for room when it was paused as long as any other', async () => {
    using crowd = new Crowd({ maxConnections: 1, queue: { limit: 5, timeout: 2, shed: true } });
    crowd.add();
    crowd.ask('runs');
    crowd.ask('waits');
    crowd.main.paused = true;
    for (let n = 0; n < 5; n += 1) crowd.ask(`held ${n}`); // time goes on
    await new Promise((resolve) => setTimeout(resolve, 30)); // its time was up long ago
    assert.deepEqual(crowd.ends, ['runs']);
    crowd.main.paused = false;
    crowd.leases[0]?.release({ kind: 'completed', status: 200 });
    await eventually('its turn', () => crowd.ends.includes('waits'));
  });

  it('has nobody to give when it is closed meanwhile', async () => {
    using crowd = new Crowd({ scaleFromZero: true });
    crowd.add();
    crowd.main.paused = true;
    crowd.ask('a');
    for (const pool of [...crowd.threads, crowd.main]) pool.close();
    await crowd.ended('a: nobody');
  });

  it('leaves its place to another one unpaused', () => {
    using crowd = new Crowd();
    crowd.main.paused = true;
    const { pool } = crowd.main.place;
    crowd.slots.retirePool(pool);
    crowd.slots.generation += 1;
    assert.equal(crowd.slots.pool(), pool);
    assert.equal(crowd.main.paused, false);
  });
});

describe('a pool that is asleep', () => {
  it('holds requests until somebody is there, when it scales from zero', async () => {
    using crowd = new Crowd({ scaleFromZero: true });
    crowd.ask('a', 1);
    crowd.ask('b', 0);
    assert.deepEqual([crowd.ends, crowd.main.waiting], [[], 2]);
    crowd.add();
    await crowd.ended('a', 'b');
  });

  it('refuses them when it does not', () => {
    using crowd = new Crowd();
    crowd.ask('a');
    assert.deepEqual(crowd.ends, ['a: nobody']);
  });

  it('is not asleep while there is an unhealthy one to try, or others were tried', () => {
    using crowd = new Crowd({ scaleFromZero: true });
    const upstream = crowd.add();
    upstream.health = 'unhealthy';
    crowd.main.invalidate();
    crowd.ask('last resort');
    crowd.ask('retry', 0, [...crowd.threads[0].upstreams()]);
    assert.deepEqual(crowd.ends, ['last resort', 'retry: nobody']);
  });

  it('tells once that somebody waits, and again after nobody has', async () => {
    using crowd = new Crowd({ scaleFromZero: true });
    const waiting = [crowd.ask('a', 0), crowd.ask('b', 1), crowd.ask('c', 0)];
    await eventually('it is told', () => crowd.heldTold > 0);
    assert.equal(crowd.heldTold, 1);
    for (const each of waiting) each?.cancel();
    crowd.ask('d', 1);
    await eventually('it is told', () => crowd.heldTold > 1);
  });
});

describe('the requests that came to a pool', () => {
  it('are counted once each, whatever became of them', async () => {
    using crowd = new Crowd({ hold: { limit: 2, timeout: 60_000 } });
    const first = crowd.add();
    crowd.ask('a', 0);
    crowd.ask('b', 1);
    assert.equal(crowd.main.requests, 2);
    crowd.add();
    crowd.ask('retry of a', 0, [...crowd.threads[0].upstreams()].slice(0, 1));
    assert.equal(crowd.main.requests, 2);
    crowd.main.paused = true;
    const leaver = [crowd.ask('held', 0), crowd.ask('leaves', 1)][1];
    crowd.ask('refused', 0);
    assert.equal(crowd.main.requests, 5);
    leaver?.cancel();
    crowd.main.paused = false;
    await eventually('it goes on', () => crowd.ends.includes('held'));
    assert.equal(crowd.main.requests, 5);
    crowd.remove(first);
    assert.equal(crowd.main.requests, 5);
    crowd.ask('c', 0);
    assert.equal(crowd.main.requests, 6);
  });
});
