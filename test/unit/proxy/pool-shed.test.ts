import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { PickContext } from '../../../internal/algorithms/balancer.ts';
import { RoundRobin } from '../../../internal/algorithms/round-robin.ts';
import { Lease } from '../../../internal/proxy/lease.ts';
import { Pool } from '../../../internal/proxy/pool.ts';
import type { PoolLimits, Refusal } from '../../../internal/proxy/pool-parts.ts';
import { SharedState } from '../../../internal/proxy/shared-state.ts';
import { SlotAllocator } from '../../../internal/proxy/slot-allocator.ts';
import { Upstream } from '../../../internal/proxy/upstream.ts';
import { settle } from '../../support/manual-clock.ts';
import { instance } from '../../support/proxy-fakes.ts';

const SIZE = { upstreams: 1, pools: 1, threads: 2 };
const CONTEXT: PickContext = { hash: () => 0, affinity: () => undefined, now: () => 0 };
/** 8 at a time, 20 ms each: 400 in a second. */
const SERVICE_MS = 20;
const LIMITS: PoolLimits = {
  maxConnections: 8,
  adaptiveConcurrency: null,
  queue: { limit: 1_000, timeout: 1_000, shed: true },
  hold: { limit: 1_000, timeout: 10_000 },
  scaleFromZero: false,
  healthCheck: { neverEmpty: true },
  panicThreshold: 0,
  outlierDetection: { consecutiveErrors: null, interval: 0 },
};

interface End {
  readonly number: number;
  readonly cameAt: number;
  readonly waited: number;
  /** Null: it had its turn. */
  readonly refusal: Refusal | null;
}

/** Requests that come to two threads in turns, millisecond by millisecond, to one upstream with a known capacity. */
class Crossing {
  readonly ends: End[] = [];
  readonly main: Pool;
  now = 0;
  readonly #t: TestContext;
  readonly #threads: readonly Pool[];
  readonly #running: { readonly lease: Lease; readonly until: number }[] = [];
  #came = 0;

  constructor(t: TestContext, limits: Partial<PoolLimits> = {}) {
    this.#t = t;
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const slots = new SlotAllocator(SharedState.create(SIZE));
    const [pool, slot] = [slots.pool(), slots.upstream()];
    const poolOf = (state: SharedState) => {
      const made = new Pool('web', new RoundRobin(), { connectFailed() {}, drained() {} }, () => this.now, {
        state,
        pool,
      });
      made.limits = { ...LIMITS, ...limits };
      made.put(Object.assign(new Upstream(instance('a'), { state, slot }), { health: 'healthy' }));
      return made;
    };
    this.main = poolOf(slots.state);
    this.#threads = [1, 2].map((thread) => poolOf(SharedState.attach(slots.state.buffer, SIZE, thread)));
  }

  /** @param perSecond - how many come. */
  async pass(ms: number, perSecond: number): Promise<void> {
    const before = this.now;
    let came = 0;
    for (let passed = 1; passed <= ms; passed += 1) {
      this.now = before + passed;
      this.#t.mock.timers.tick(1);
      while (this.#running[0] !== undefined && this.#running[0].until <= this.now) {
        this.#running.shift()?.lease.release({ kind: 'completed', status: 200 });
      }
      for (; came < (passed * perSecond) / 1_000; came += 1) this.come();
      await settle();
    }
  }

  come(): void {
    const [number, cameAt] = [this.#came, this.now];
    this.#came += 1;
    const turn = (found: Lease | Refusal) => {
      const waited = this.now - cameAt;
      if (found instanceof Lease) this.#running.push({ lease: found, until: this.now + SERVICE_MS });
      this.ends.push({ number, cameAt, waited, refusal: found instanceof Lease ? null : found });
    };
    const found = this.#threads[number % 2]?.acquire(CONTEXT, [], { turn });
    if (found instanceof Lease || typeof found === 'string') turn(found);
  }

  served(from = 0): End[] {
    return this.ends.filter(({ refusal, cameAt }) => refusal === null && cameAt >= from);
  }

  refused(from = 0): End[] {
    return this.ends.filter(({ refusal, cameAt }) => refusal !== null && cameAt >= from);
  }
}

function slowest(ends: readonly End[]): number {
  return Math.max(...ends.map(({ waited }) => waited));
}

describe('a pool that is asked for more than its upstreams can do', () => {
  it('serves as many as they can, makes those wait for a moment only, and sends the others away at once', async (t) => {
    const site = new Crossing(t);
    await site.pass(4_000, 800);
    const [served, refused] = [site.served(2_500), site.refused(2_500)];
    assert.ok(served.length >= 540, `${served.length} of 600 were served`);
    assert.ok(slowest(served) <= 80, `one was served after ${slowest(served)} ms`);
    assert.ok(slowest(refused) <= 80, `one was refused after ${slowest(refused)} ms`);
    assert.deepEqual([...new Set(refused.map(({ refusal }) => refusal))], ['shed']);
    const atOnce = refused.filter(({ waited }) => waited === 0);
    assert.ok(atOnce.length > refused.length / 2, `${atOnce.length} of ${refused.length} were refused at once`);
    const numbers = site.served().map(({ number }) => number);
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      'somebody was overtaken',
    );
    assert.equal(site.main.retryAfter, 1);
  });

  it('takes up a burst that can be served in time, again and again, also after an overload', async (t) => {
    const site = new Crossing(t);
    for (let round = 0; round < 2; round += 1) {
      for (let n = 0; n < 300; n += 1) site.come();
      await site.pass(1_000, 50);
    }
    assert.equal(site.refused().length, 0);
    await site.pass(2_500, 800);
    assert.ok(site.refused().length > 300);
    await site.pass(1_500, 50);
    const calm = site.now;
    for (let n = 0; n < 300; n += 1) site.come();
    await site.pass(1_000, 50);
    assert.equal(site.refused(calm).length, 0);
  });

  it('lets them wait for as long as they may where that is wanted', async (t) => {
    const site = new Crossing(t, { queue: { limit: 1_000, timeout: 1_000, shed: false } });
    await site.pass(2_500, 800);
    assert.ok(slowest(site.served(1_400)) > 900);
    assert.deepEqual([...new Set(site.refused().map(({ refusal }) => refusal))], ['busy']);
  });

  it('knows nothing of its speed after a pause, and so refuses nobody', async (t) => {
    const site = new Crossing(t);
    for (let n = 0; n < 40; n += 1) site.come();
    await site.pass(60, 0);
    site.main.paused = true;
    for (let n = 0; n < 200; n += 1) site.come();
    await site.pass(900, 0);
    site.main.paused = false;
    for (let n = 0; n < 10; n += 1) site.come();
    await site.pass(1_000, 100);
    assert.deepEqual(site.refused(), []);
  });

  it('has patience with those who were held, however many', async (t) => {
    const site = new Crossing(t);
    await site.pass(2_000, 800);
    site.main.paused = true;
    await site.pass(500, 800);
    site.main.paused = false;
    await site.pass(2_000, 0);
    assert.deepEqual(site.refused(2_001), []);
    assert.equal(site.served(2_001).length, 400);
  });
});
