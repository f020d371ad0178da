import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PickContext } from '../../../../internal/algorithms/balancer.ts';
import { declaredInstances } from '../../../../internal/model/instance.ts';
import { Fleet } from '../../../../internal/proxy/fleet.ts';
import { RateLimits } from '../../../../internal/proxy/rate-limit/rate-limits.ts';
import { SharedState } from '../../../../internal/proxy/shared-state.ts';
import { SlotAllocator } from '../../../../internal/proxy/slot-allocator.ts';
import type { PictureChange } from '../../../../internal/proxy/threads/messages.ts';
import { Picture } from '../../../../internal/proxy/threads/picture.ts';
import { ThreadFleet } from '../../../../internal/proxy/threads/thread-fleet.ts';
import type { Upstream } from '../../../../internal/proxy/upstream.ts';
import { createLogger } from '../../../../pkg/logger/logger.ts';
import { instance, service } from '../../../support/proxy-fakes.ts';
import { COOKIE_SECRET, fleetListener } from '../../../support/proxy-site.ts';

const SIZE = { upstreams: 16, pools: 4, threads: 1 };
const CONTEXT: PickContext = { hash: () => 0, affinity: () => undefined, now: () => 0 };
const BOTH = [instance('a', { port: 1 }), instance('b', { port: 2 })];

/** The main thread's pools, and those of one thread, which hears of the others only what it is sent. */
class Pair {
  readonly fleet: Fleet;
  readonly thread: ThreadFleet;
  readonly told: string[] = [];
  readonly #slots = new SlotAllocator(SharedState.create(SIZE));
  readonly #picture = new Picture();
  #applied = 0;

  constructor() {
    const { state } = this.#slots;
    this.#slots.isPast = (generation) => this.#applied > generation;
    const now = () => 0;
    this.fleet = new Fleet({
      cookieSecret: COOKIE_SECRET,
      now,
      log: createLogger({ name: 'test', level: 'silent' }),
      listener: fleetListener(),
      slots: this.#slots,
    });
    this.thread = new ThreadFleet({
      state: SharedState.attach(state.buffer, SIZE, 1),
      limits: RateLimits.attach(this.fleet.limits.memory, 1, now),
      cookieSecret: COOKIE_SECRET,
      now,
      events: {
        connectFailed: ({ id, ordinal }, cause) => this.told.push(`${id}/${ordinal} ${cause}`),
        drained: ({ id }) => this.told.push(`drained ${id}`),
      },
      upstreamRemoved: (id) => this.told.push(`gone ${id}`),
    });
  }

  /** The news for the thread; null when there is none. */
  news(): Omit<PictureChange, 'generation'> | null {
    const change = this.#picture.update(this.fleet.pools());
    if (change === null) return null;
    this.#slots.generation += 1;
    this.#applied = this.#slots.generation;
    this.thread.apply(structuredClone({ generation: this.#slots.generation, ...change }));
    return change;
  }

  heal(): void {
    for (const pool of this.fleet.pools()) {
      for (const { id, incarnation, health } of pool.upstreams()) {
        this.fleet.healthChanged({ id, incarnation, from: health, to: 'healthy', cause: '', at: 0 });
      }
    }
  }

  upstreams(): Map<string, Upstream> {
    return new Map(Array.from(this.thread.match('web', '/')?.pool.upstreams() ?? [], (each) => [each.id, each]));
  }

  /** Whom the thread picks from now on, one after the other. */
  picks(count: number): (string | undefined)[] {
    const pool = this.thread.match('web', '/')?.pool;
    return Array.from({ length: count }, () => pool?.lease(CONTEXT, [])?.upstream.id);
  }
}

function pair(): Pair {
  const made = new Pair();
  made.fleet.configure([service({ slowStart: null })]);
  made.fleet.apply(BOTH);
  made.heal();
  made.news();
  return made;
}

describe('the pools of a thread', () => {
  it('have the upstreams that the main thread has, as they are', () => {
    const { fleet, thread, ...rest } = pair();
    assert.deepEqual(rest.told, []);
    const pool = thread.match('web', '/')?.pool ?? assert.fail();
    assert.deepEqual(
      pool.healthy().map(({ id, slot, ordinal }) => [id, slot, ordinal]),
      fleet
        .pool('web')
        ?.healthy()
        .map(({ id, slot, ordinal }) => [id, slot, ordinal]),
    );
    const lease = pool.lease(CONTEXT, []) ?? assert.fail();
    assert.equal(fleet.pool('web')?.get(lease.upstream.id)?.inFlight, 1);
  });

  it('follow health, lifecycle and weight without any news', () => {
    const made = pair();
    const [a] = made.fleet.pool('web')?.upstreams() ?? [];
    assert.ok(a);
    made.fleet.healthChanged({
      id: 'a',
      incarnation: a.incarnation,
      from: 'healthy',
      to: 'unhealthy',
      cause: '',
      at: 0,
    });
    assert.deepEqual(made.picks(2), ['b', 'b']);
    made.heal();
    made.fleet.apply([instance('a', { port: 1 }), instance('b', { port: 2, lifecycle: 'draining' })]);
    assert.deepEqual(made.picks(2), ['a', 'a']);
    made.fleet.apply([instance('a', { port: 1, weight: 5 }), instance('b', { port: 2 })]);
    assert.equal(made.upstreams().get('a')?.weight, 5);
    assert.equal(made.news(), null);
  });

  it('keep what a change does not concern: the same upstreams, with their requests', () => {
    const made = pair();
    const before = made.upstreams();
    const lease = made.thread.match('web', '/')?.pool.lease(CONTEXT, []);
    made.fleet.apply([...BOTH, instance('c', { port: 3 })]);
    made.heal();
    const ids = (change: ReturnType<Pair['news']>) =>
      change?.pools.map(({ upstreams, gone }) => [upstreams.map(({ instance: { id } }) => id), gone]);
    assert.deepEqual(ids(made.news()), [[['c'], []]]);
    made.fleet.apply([...BOTH]);
    assert.deepEqual(ids(made.news()), [[[], ['c']]]);
    assert.deepEqual([...made.upstreams().keys()], ['a', 'b']);
    for (const [id, upstream] of made.upstreams()) assert.equal(upstream, before.get(id));
    assert.equal(lease?.upstream.inFlight, 1);
    assert.deepEqual(made.told, ['gone c']);
  });

  it('pick a removed upstream no more, even before the news of it', () => {
    const made = pair();
    made.fleet.apply(BOTH.slice(1));
    assert.deepEqual(made.picks(2), ['b', 'b']);
    assert.equal(made.news()?.pools.length, 1);
    assert.deepEqual(made.told, ['gone a']);
  });

  it('have a new upstream for an instance that was started anew, and tell when the old one is done', () => {
    const made = pair();
    const before = made.upstreams().get('a') ?? assert.fail();
    const pool = made.thread.match('web', '/')?.pool ?? assert.fail();
    const [first, second] = [pool.lease(CONTEXT, []), pool.lease(CONTEXT, [])];
    const lease = first?.upstream === before ? first : second;
    made.fleet.apply([instance('a', { port: 1, startedAt: 2, restarts: 1 }), ...BOTH.slice(1)]);
    made.heal();
    made.news();
    const after = made.upstreams().get('a') ?? assert.fail();
    assert.notEqual(after, before);
    assert.notEqual(after.slot, before.slot);
    assert.deepEqual([before.inFlight, after.inFlight], [1, 0]);
    assert.deepEqual(made.told, ['gone a']);
    lease?.release({ kind: 'completed', status: 200 });
    assert.deepEqual(made.told, ['gone a', 'drained a']);
  });

  it('go with their service, and come back with another place', () => {
    const made = pair();
    const place = made.thread.match('web', '/')?.pool.place.pool;
    made.fleet.configure([]);
    assert.deepEqual(made.picks(1), [undefined]);
    made.fleet.configure([service()]);
    made.heal();
    assert.deepEqual(made.news()?.removed, []); // gone and back between two pictures
    assert.deepEqual(made.told, ['gone a', 'gone b']);
    assert.notEqual(made.thread.match('web', '/')?.pool.place.pool, place);
    assert.deepEqual(new Set(made.picks(2)), new Set(['a', 'b']));
    made.fleet.configure([]);
    assert.deepEqual(made.news(), { pools: [], removed: ['web'] });
    assert.equal(made.thread.match('web', '/'), undefined);
  });

  // A request that began before is tried again there, while the memory of its service belongs to another one.
  it('give nothing more once their service is gone', () => {
    const made = pair();
    const gone = made.thread.match('web', '/')?.pool ?? assert.fail();
    made.fleet.configure([]);
    made.news();
    made.fleet.configure([service({ name: 'api' })]);
    made.fleet.apply(BOTH.map((each) => ({ ...each, service: 'api' })));
    made.heal();
    made.news();
    const heirs = [...(made.thread.match('api', '/')?.pool.upstreams() ?? [])].map(({ slot }) => slot);
    assert.deepEqual(
      [...gone.upstreams()].map(({ slot }) => slot),
      heirs,
    );
    assert.equal(gone.lease(CONTEXT, []), null);
  });

  it('take over changed settings, and the servers that they name', () => {
    const made = pair();
    const before = made.upstreams();
    const next = service({ servers: ['127.0.0.1:4'], algorithm: 'least-connections', routes: [{ path: '/shop' }] });
    made.fleet.configure([next]);
    made.heal();
    made.news();
    assert.equal(made.thread.match('web', '/'), undefined);
    const pool = made.thread.match('web', '/shop')?.pool ?? assert.fail();
    assert.equal(pool.service.algorithm, 'least-connections');
    assert.equal(pool.get('a'), before.get('a'));
    assert.deepEqual(
      Array.from(pool.upstreams(), ({ id }) => id).toSorted(),
      ['a', 'b', ...declaredInstances(next).map(({ id }) => id)].toSorted(),
    );
  });

  it('apply the limits of routes as one with the others, also after a change', () => {
    const made = pair();
    const client = { clientAddress: '10.0.0.1', field: () => undefined };
    const limited = (requests: number) => {
      made.fleet.configure([service({ routes: [{ rateLimit: { requests, per: '1s' } }] })]);
      made.news();
      return [made.fleet, made.thread].map((fleet) => fleet.match('web', '/')?.limiter ?? assert.fail());
    };
    assert.deepEqual(
      limited(2).map((limiter) => limiter.check(client).remaining),
      [1, 0],
    );
    assert.deepEqual(
      limited(2).map((limiter) => limiter.check(client).granted),
      [false, false],
    );
    const [main = assert.fail(), thread = assert.fail()] = limited(3);
    assert.deepEqual([thread.check(client).remaining, main.check(client).remaining], [2, 1]);
    assert.deepEqual(main.tally, { granted: 2, refused: 0 });
  });

  it('tell of a failed connect, with what tells the upstream from its predecessors', () => {
    const made = pair();
    const lease = made.thread.match('web', '/')?.pool.lease(CONTEXT, []) ?? assert.fail();
    lease.release({ kind: 'connect-failed', cause: 'ECONNREFUSED' });
    assert.deepEqual(made.told, [`${lease.upstream.id}/${lease.upstream.ordinal} ECONNREFUSED`]);
  });
});
