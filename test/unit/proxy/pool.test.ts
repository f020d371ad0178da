import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RoundRobin } from '../../../internal/algorithms/round-robin.ts';
import type { Balancer, Candidate, PickContext } from '../../../internal/algorithms/balancer.ts';
import { INITIAL_LIMIT } from '../../../internal/health/concurrency.ts';
import { Pool } from '../../../internal/proxy/pool.ts';
import type { Explanation } from '../../../internal/algorithms/explanation.ts';
import type { PoolLimits } from '../../../internal/proxy/pool-parts.ts';
import type { Upstream } from '../../../internal/proxy/upstream.ts';
import { upstream } from '../../support/proxy-fakes.ts';

const CONTEXT: PickContext = { hash: () => 0, affinity: () => undefined, now: () => 0 };

const LIMITS: PoolLimits = {
  maxConnections: null,
  adaptiveConcurrency: null,
  queue: { limit: 0, timeout: 0, shed: true },
  hold: { limit: 0, timeout: 0 },
  scaleFromZero: false,
  healthCheck: { neverEmpty: true },
  panicThreshold: 0,
  outlierDetection: { consecutiveErrors: null, interval: 0 },
};

/** Takes the first, and remembers what it was shown. */
class Watching implements Balancer {
  readonly learns = true;
  readonly algorithm = 'round-robin';
  readonly shown: (readonly Candidate[])[] = [];
  readonly observed: { readonly id: string; readonly among: readonly string[] }[] = [];

  pick<C extends Candidate>(candidates: readonly C[]): C {
    this.shown.push(candidates);
    return candidates[0]!;
  }

  explain(candidates: readonly Candidate[]): Explanation {
    const scores = candidates.map((_, index) => index);
    return { winner: 0, rule: 'the first', meaning: 'place', better: 'less', scores, ofRequest: false };
  }

  observe(candidate: Candidate, candidates: readonly Candidate[]): void {
    this.observed.push({ id: candidate.id, among: candidates.map(({ id }) => id) });
  }
}

function poolOf(...upstreams: Upstream[]) {
  const balancer = new Watching();
  const failed: string[] = [];
  const drained: string[] = [];
  const events = {
    connectFailed: ({ id }: Upstream, cause: string) => failed.push(`${id} ${cause}`),
    drained: ({ id }: Upstream) => drained.push(id),
  };
  const pool = new Pool('web', balancer, events, () => 0);
  for (const each of upstreams) pool.put(each);
  return { pool, balancer, failed, drained };
}

describe('a pool', () => {
  it('offers healthy instances that are ready, and nobody else', () => {
    const { pool, balancer } = poolOf(
      upstream('fine'),
      upstream('new', { health: 'unknown' }),
      upstream('ill', { health: 'unhealthy' }),
      upstream('leaving', { lifecycle: 'draining' }),
      upstream('coming', { lifecycle: 'starting' }),
      upstream('crashed', { lifecycle: 'backing-off' }),
      upstream('gone', { lifecycle: 'failed' }),
    );
    pool.lease(CONTEXT, []);
    assert.deepEqual(
      balancer.shown[0]?.map(({ id }) => id),
      ['fine'],
    );
  });

  it('tries the unhealthy when there is nobody else, and says so; instances that were never checked stay out', () => {
    const { pool } = poolOf(upstream('ill', { health: 'unhealthy' }), upstream('new', { health: 'unknown' }));
    const lease = pool.lease(CONTEXT, []);
    assert.deepEqual([lease?.upstream.id, lease?.lastResort], ['ill', true]);
    const { pool: other } = poolOf(upstream('fine'), upstream('ill', { health: 'unhealthy' }));
    assert.equal(other.lease(CONTEXT, [])?.lastResort, false);
  });

  it('would rather have nobody than the unhealthy when it is told so, and is not asleep for that', () => {
    const { pool } = poolOf(upstream('fine'), upstream('ill', { health: 'unhealthy' }));
    const line = { limit: 10, timeout: 60_000 };
    const outlierDetection = { consecutiveErrors: null, interval: 0 };
    const limits = {
      maxConnections: null,
      adaptiveConcurrency: null,
      queue: { ...line, shed: true },
      hold: line,
      scaleFromZero: true,
      panicThreshold: 0,
      outlierDetection,
    };
    pool.limits = { ...limits, healthCheck: { neverEmpty: false } };
    const fine = pool.lease(CONTEXT, []);
    assert.ok(fine);
    assert.equal(fine.upstream.id, 'fine');
    assert.equal(pool.lease(CONTEXT, [fine.upstream]), null); // nor for a second attempt
    fine.upstream.health = 'unhealthy';
    pool.invalidate();
    assert.equal(pool.acquire(CONTEXT, [], { turn() {} }), 'nobody');
    assert.deepEqual(pool.candidates(), []);
    pool.limits = { ...limits, healthCheck: { neverEmpty: true } };
    assert.equal(pool.lease(CONTEXT, [])?.lastResort, true);
  });

  it('offers nobody twice to one request, and the unhealthy after the last healthy one', () => {
    const [a, b, ill] = [upstream('a'), upstream('b'), upstream('ill', { health: 'unhealthy' })];
    const { pool } = poolOf(a, b, ill);
    assert.equal(pool.lease(CONTEXT, [a])?.upstream, b);
    assert.equal(pool.lease(CONTEXT, [a, b])?.upstream, ill);
    assert.equal(pool.lease(CONTEXT, [a, b, ill]), null);
  });

  it('sends first attempts to all when fewer are fit than may be, and repetitions to the fit', () => {
    const [fit, ejected, ill] = [upstream('fit'), upstream('out'), upstream('ill', { health: 'unhealthy' })];
    ejected.standing = 'ejected';
    const { pool, balancer } = poolOf(fit, ejected, ill);
    pool.limits = { ...LIMITS, panicThreshold: 0.5 };
    assert.equal(pool.lease(CONTEXT, [])?.lastResort, false);
    assert.deepEqual(balancer.shown.at(-1), [fit, ejected, ill]);
    pool.lease(CONTEXT, [ill]);
    assert.deepEqual(balancer.shown.at(-1), [fit]);
    pool.limits = { ...LIMITS, panicThreshold: 0.3 };
    pool.lease(CONTEXT, []);
    assert.deepEqual(balancer.shown.at(-1), [fit]);
  });

  it('has one on trial tried out by as many requests as may, which have not failed elsewhere and belong to nobody else', () => {
    const [fit, tried] = [upstream('fit'), upstream('tried')];
    Object.assign(tried, { standing: 'on-trial', trials: 1 });
    const { pool } = poolOf(fit, tried);
    const idOf = (context = CONTEXT, before: readonly Upstream[] = []) => pool.lease(context, before)?.upstream.id;
    assert.equal(idOf({ ...CONTEXT, affinity: () => 'fit' }), 'fit');
    assert.deepEqual([idOf(), idOf()], ['tried', 'fit']);
    tried.trials = 1;
    assert.equal(idOf(CONTEXT, [upstream('other')]), 'fit');
    pool.limits = { ...LIMITS, maxConnections: 1 };
    assert.equal(idOf(), undefined, 'both have a request in flight');
  });

  it('tells of one that fails as often in a row as one may, and of any failure on trial', () => {
    let told = 0;
    const events = { connectFailed() {}, drained() {}, failing: () => (told += 1) };
    const pool = new Pool('web', new RoundRobin(), events, () => 1);
    const of = upstream('a');
    pool.put(of);
    pool.limits = { ...LIMITS, outlierDetection: { consecutiveErrors: 3, interval: 1_000 } };
    const fail = () => pool.lease(CONTEXT, [])?.release({ kind: 'reset', cause: 'x' });
    fail();
    fail();
    assert.equal(told, 0);
    fail();
    assert.equal(told, 1);
    fail();
    assert.equal(told, 1);
    of.standing = 'on-trial';
    fail();
    assert.equal(told, 2);
  });

  it('gives an upstream as many requests as were found out to be good for it, beside the limit that was set', () => {
    const [a, b] = [upstream('a'), upstream('b')];
    const { pool } = poolOf(a, b);
    const adaptiveConcurrency = { min: 1, max: 100, tolerance: 1.25 };
    pool.limits = { ...LIMITS, adaptiveConcurrency };
    a.concurrency = 2;
    const picked = () => pool.lease(CONTEXT, [])?.upstream.id;
    assert.deepEqual([picked(), picked(), picked()], ['a', 'a', 'b']);
    assert.deepEqual([a.takeRefused(), a.takeRefused(), b.takeRefused()], [true, false, false]);
    for (let n = 1; n < INITIAL_LIMIT; n += 1) assert.equal(picked(), 'b', 'nothing is known of it yet');
    assert.equal(picked(), undefined);
    b.concurrency = 100;
    const { state, pool: place } = pool.place;
    const signals = state.signals(place);
    pool.lease(CONTEXT, [])?.release({ kind: 'completed', status: 200 });
    assert.equal(state.signals(place), signals + 1, 'there is room: who waits has to know');
    assert.equal(picked(), 'b');
    pool.limits = { ...LIMITS, adaptiveConcurrency, maxConnections: 1 };
    assert.equal(picked(), undefined);
    pool.limits = LIMITS;
    assert.equal(picked(), 'a', 'there are no limits any more');
  });

  it('keeps to the bounds of a limit that nobody has found out yet', () => {
    for (const [min, max, most] of [
      [1, 3, 3],
      [30, 40, 30],
    ] as const) {
      const { pool } = poolOf(upstream('a'));
      pool.limits = { ...LIMITS, adaptiveConcurrency: { min, max, tolerance: 1.25 } };
      const leases = Array.from({ length: 50 }, () => pool.lease(CONTEXT, []));
      assert.equal(leases.filter((lease) => lease !== null).length, most);
    }
  });

  it('has nobody to give when it is empty', () => {
    assert.equal(poolOf().pool.lease(CONTEXT, []), null);
  });

  it('shows the algorithm the same list until something changes', () => {
    const [a, b] = [upstream('a'), upstream('b')];
    const { pool, balancer } = poolOf(a, b);
    pool.lease(CONTEXT, []);
    pool.lease(CONTEXT, []);
    b.health = 'unhealthy';
    pool.invalidate();
    pool.lease(CONTEXT, []);
    pool.delete('a');
    pool.lease(CONTEXT, []);
    const [first, second, third, fourth] = balancer.shown;
    assert.equal(first, second);
    assert.deepEqual(third, [a]);
    assert.deepEqual(fourth, [b]);
  });

  it('claims in the tick of the pick, so that two requests never see the same load', () => {
    const pool = new Pool('web', new RoundRobin(), { connectFailed() {}, drained() {} }, () => 0);
    const [a, b] = [upstream('a'), upstream('b')];
    pool.put(a);
    pool.put(b);
    const leases = [1, 2, 3, 4].map(() => pool.lease(CONTEXT, []));
    assert.deepEqual([a.inFlight, b.inFlight], [2, 2]);
    for (const lease of leases) lease?.release({ kind: 'completed', status: 200 });
    assert.deepEqual([a.inFlight, b.inFlight], [0, 0]);
  });

  it('passes measurements on to the algorithm with those in good health', () => {
    const { pool, balancer } = poolOf(upstream('a'), upstream('b'), upstream('ill', { health: 'unhealthy' }));
    pool.lease(CONTEXT, [])?.head(200);
    assert.deepEqual(balancer.observed, [{ id: 'a', among: ['a', 'b'] }]);
  });

  it('tells of a failed connect at once, and of nothing else', () => {
    const { pool, failed } = poolOf(upstream('a'));
    pool.lease(CONTEXT, [])?.release({ kind: 'reset', cause: 'ECONNRESET' });
    pool.lease(CONTEXT, [])?.release({ kind: 'completed', status: 500 });
    assert.deepEqual(failed, []);
    pool.lease(CONTEXT, [])?.release({ kind: 'connect-failed', cause: 'ECONNREFUSED' });
    assert.deepEqual(failed, ['a ECONNREFUSED']);
  });

  it('does not blame an instance for what this host lacks', () => {
    const { pool, failed } = poolOf(upstream('a'));
    for (const cause of ['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']) {
      pool.lease(CONTEXT, [])?.release({ kind: 'connect-failed', cause });
    }
    assert.deepEqual(failed, []);
  });

  it('gives nothing more once it is closed, whatever its upstreams look like', () => {
    const a = upstream('a');
    const { pool, balancer } = poolOf(a, upstream('b'));
    const running = pool.lease(CONTEXT, []);
    pool.close();
    for (const each of pool.upstreams()) each.update({ ...each.instance, lifecycle: 'ready' }); // their places are another's
    pool.invalidate();
    assert.equal(pool.lease(CONTEXT, [a]), null);
    assert.equal(pool.acquire(CONTEXT, [], { turn: () => assert.fail('there is nothing to wait for') }), 'nobody');
    running?.head(200);
    running?.release({ kind: 'completed', status: 200 });
    assert.deepEqual(balancer.observed, []);
    assert.equal(a.inFlight, 0);
  });

  it('tells of every request that ends on a draining upstream', () => {
    const a = upstream('a');
    const { pool, drained } = poolOf(a);
    const [first, second] = [pool.lease(CONTEXT, []), pool.lease(CONTEXT, [])];
    first?.release({ kind: 'completed', status: 200 });
    assert.deepEqual(drained, []);
    a.update({ ...a.instance, lifecycle: 'draining' });
    pool.invalidate();
    assert.equal(pool.lease(CONTEXT, []), null);
    second?.release({ kind: 'completed', status: 200 });
    assert.deepEqual(drained, ['a']);
  });
});
