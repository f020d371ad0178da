import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PickContext } from '../../../internal/algorithms/balancer.ts';
import { INITIAL_LIMIT } from '../../../internal/health/concurrency.ts';
import { ConcurrencyControl } from '../../../internal/proxy/concurrency-control.ts';
import { Lease } from '../../../internal/proxy/lease.ts';
import type { Refusal } from '../../../internal/proxy/pool-parts.ts';
import { ServicePool } from '../../../internal/proxy/service-pool.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { instance, service } from '../../support/proxy-fakes.ts';
import { eventually } from '../../support/proxy-raw.ts';
import { SharedState } from '../../../internal/proxy/shared-state.ts';
import { SlotAllocator } from '../../../internal/proxy/slot-allocator.ts';
import { Upstream } from '../../../internal/proxy/upstream.ts';

const CONTEXT: PickContext = { hash: () => 0, affinity: () => undefined, now: () => 0 };
const SECRET = 'a secret that is long enough';
const LOOK_MS = 100;

/** A pool with one upstream, under control. */
class Controlled {
  readonly clock = new ManualClock();
  readonly pool: ServicePool;
  readonly upstream: Upstream;
  readonly turns: (Lease | Refusal)[] = [];
  readonly #control: ConcurrencyControl;

  constructor(settings: Readonly<Record<string, unknown>> = { adaptiveConcurrency: {} }) {
    const slots = new SlotAllocator(SharedState.create({ upstreams: 2, pools: 1, threads: 0 }));
    const place = { state: slots.state, pool: slots.pool() };
    const now = () => this.clock.monotonic();
    this.pool = new ServicePool(service(settings), SECRET, { connectFailed() {}, drained() {} }, now, place);
    this.upstream = new Upstream(instance('a'), { state: slots.state, slot: slots.upstream() });
    this.upstream.health = 'healthy';
    this.pool.put(this.upstream);
    const fleet = { pools: () => [this.pool] };
    this.#control = new ConcurrencyControl({ fleet, clock: this.clock, now, random: () => 0.5 });
    this.#control.start();
  }

  configure(settings: Readonly<Record<string, unknown>>): void {
    this.pool.configure(service(settings), SECRET);
  }

  /** @returns the lease; null when there is no room at present, then `turns` has it later. */
  ask(): Lease | null {
    const found = this.pool.acquire(CONTEXT, [], { turn: (late) => this.turns.push(late) });
    if (!(found instanceof Lease)) return null;
    found.sent();
    return found;
  }

  stop(): void {
    this.#control.stop();
  }
}

describe('the control of the concurrency', () => {
  it('gives every upstream a limit, and lets it grow while it is too small and latencies are good', async () => {
    const site = new Controlled();
    assert.equal(site.upstream.concurrency, INITIAL_LIMIT);
    const leases = Array.from({ length: INITIAL_LIMIT }, () => site.ask());
    assert.equal(site.ask(), null);
    await site.clock.advance(50);
    for (const lease of leases) {
      lease?.head(200);
      lease?.release({ kind: 'completed', status: 200 });
    }
    await site.clock.advance(LOOK_MS);
    assert.equal(site.upstream.concurrency, 2 * INITIAL_LIMIT);
    assert.equal(Math.round(site.upstream.concurrencyLimit?.unloadedMs ?? 0), 50);
    site.stop();
    assert.equal(site.clock.pending, 0);
  });

  // A WebSocket may stay for hours: with a hundred of them nobody else would ever get in.
  it('leaves responses that have begun out of it, and wakes those who wait', async () => {
    const site = new Controlled({ adaptiveConcurrency: { max: 3 } });
    await site.clock.advance(LOOK_MS);
    const leases = [site.ask(), site.ask(), site.ask()];
    assert.equal(site.ask(), null);
    for (const lease of leases.slice(0, 2)) lease?.head(101);
    const { state, pool } = site.pool.place;
    const signals = state.signals(pool);
    await site.clock.advance(LOOK_MS);
    assert.ok(state.signals(pool) > signals, 'nobody is told that there is room');
    assert.equal(site.upstream.concurrency, 3);
    await eventually('its turn', () => site.turns[0] instanceof Lease);
    site.stop();
  });

  // All clients of streams come again at once when their instance has closed them.
  it('gives no more because many responses were over just now', async () => {
    const site = new Controlled({ adaptiveConcurrency: { max: 3 } });
    await site.clock.advance(LOOK_MS);
    const lease = () => site.pool.lease(CONTEXT, []);
    const streams: (Lease | null)[] = [];
    for (let n = 0; n < 15; n += 1) {
      const stream = lease();
      stream?.sent();
      stream?.head(200);
      streams.push(stream);
      await site.clock.advance(LOOK_MS);
    }
    for (const stream of streams) stream?.release({ kind: 'completed', status: 200 });
    const leases = Array.from({ length: 20 }, lease);
    assert.equal(leases.filter((each) => each !== null).length, 3);
    site.stop();
  });

  it('takes over other settings, and goes when it is switched off', async () => {
    const site = new Controlled();
    site.configure({ adaptiveConcurrency: { max: 7 } });
    await site.clock.advance(LOOK_MS);
    assert.equal(site.upstream.concurrency, 7);
    site.configure({});
    await site.clock.advance(LOOK_MS);
    assert.deepEqual([site.upstream.concurrency, site.upstream.concurrencyLimit], [0, null]);
    site.configure({ adaptiveConcurrency: {} });
    await site.clock.advance(1_000);
    assert.equal(site.upstream.concurrency, INITIAL_LIMIT);
    site.stop();
  });
});
