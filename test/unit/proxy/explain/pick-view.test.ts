import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Candidate, PickContext } from '../../../../internal/algorithms/balancer.ts';
import { LeastConnections } from '../../../../internal/algorithms/least-connections.ts';
import { LeastTime } from '../../../../internal/algorithms/least-time.ts';
import type { ExplainedPick } from '../../../../internal/model/explained-request.ts';
import { Trail } from '../../../../internal/proxy/explain/trail.ts';
import { Lease } from '../../../../internal/proxy/lease.ts';
import { lonePool, Pool } from '../../../../internal/proxy/pool.ts';
import { SharedState } from '../../../../internal/proxy/shared-state.ts';
import { SlotAllocator } from '../../../../internal/proxy/slot-allocator.ts';
import { Upstream } from '../../../../internal/proxy/upstream.ts';
import { instance, upstream } from '../../../support/proxy-fakes.ts';

const EVENTS = { connectFailed() {}, drained() {} };
const SEEKER = { turn() {} };
const LIMITS = {
  maxConnections: null,
  adaptiveConcurrency: null,
  queue: { limit: 0, timeout: 0, shed: false },
  hold: { limit: 0, timeout: 0 },
  scaleFromZero: false,
  healthCheck: { neverEmpty: true },
  panicThreshold: 0,
  outlierDetection: { consecutiveErrors: null, interval: 0 },
};

function poolOf(upstreams: readonly Upstream[], place = lonePool()): Pool {
  const pool = new Pool('web', new LeastConnections(), EVENTS, () => 0, place);
  for (const each of upstreams) pool.put(each);
  return pool;
}

/** What a trail tells of one pick; the lease stays out. */
function pickOf(pool: Pool, tried: readonly Upstream[] = [], clock = () => 0): ExplainedPick {
  const facts = { id: 'a', client: '', method: '', host: '', target: '', service: 'web', algorithm: null };
  const trail = new Trail({ ...facts, trace: null, leases: [] }, true, 0, () => 0);
  const context: PickContext & { trail: Trail } = { trail, hash: () => 0, affinity: () => undefined, now: clock };
  const found = pool.acquire(context, tried, SEEKER);
  const [pick, ...others] = trail.view().picks;
  assert.ok(pick !== undefined && others.length === 0);
  assert.equal(pick.upstream, found instanceof Lease ? found.upstream.id : null);
  return pick;
}

const exclusions = ({ candidates }: ExplainedPick) => candidates.map(({ id, excluded }) => `${id} ${excluded}`);

describe('an explained pick', () => {
  it('says of each upstream that is no candidate why it is none', () => {
    const tried = upstream('tried');
    const pool = poolOf([
      upstream('fine'),
      tried,
      upstream('new', { health: 'unknown' }),
      upstream('ill', { health: 'unhealthy' }),
      upstream('leaving', { lifecycle: 'draining' }),
      upstream('coming', { lifecycle: 'starting' }),
      Object.assign(upstream('out'), { standing: 'ejected' }),
      Object.assign(upstream('back'), { standing: 'on-trial' }),
    ]);
    const pick = pickOf(pool, [tried]);
    assert.deepEqual(exclusions(pick), [
      'fine null',
      'tried tried',
      'new unchecked',
      'ill unhealthy',
      'leaving draining',
      'coming starting',
      'out ejected',
      'back on-trial',
    ]);
    assert.deepEqual([pick.result, pick.among, pick.upstream], ['picked', 'fit', 'fine']);
  });

  it('says what the loads were before it, and who was full', () => {
    const [a, b] = [upstream('a'), upstream('b')];
    const pool = poolOf([a, b]);
    pool.limits = { ...LIMITS, maxConnections: 2 };
    a.claim();
    b.claim();
    b.claim();
    const pick = pickOf(pool);
    assert.deepEqual(
      pick.candidates.map(({ id, score, inFlight, excluded }) => [id, score, inFlight, excluded]),
      [
        ['a', 1, 1, null],
        ['b', null, 2, 'full'],
      ],
    );
    const none = pickOf(pool);
    assert.deepEqual([none.result, none.upstream, none.excluded], ['busy', null, { full: 2 }]);
    for (const unfit of [a, b]) unfit.health = 'unhealthy';
    pool.invalidate();
    const lastResort = pickOf(pool);
    assert.deepEqual([lastResort.among, lastResort.excluded], ['last-resort', { full: 2 }]);
    assert.deepEqual(exclusions(pickOf(pool, [a])), ['a tried', 'b full']);
  });

  it('says that it is a panic, a last resort, or a trial', () => {
    const ill = () => upstream('ill', { health: 'unhealthy' });
    const panicking = poolOf([upstream('fine'), ill(), upstream('ill too', { health: 'unhealthy' })]);
    panicking.limits = { ...LIMITS, panicThreshold: 0.5 };
    assert.deepEqual([pickOf(panicking).among, pickOf(poolOf([ill()])).among], ['panic', 'last-resort']);
    const nobody = poolOf([ill()]);
    nobody.limits = { ...LIMITS, healthCheck: { neverEmpty: false } };
    assert.deepEqual([pickOf(nobody).result, exclusions(pickOf(nobody))], ['nobody', ['ill unhealthy']]);
    const back = Object.assign(upstream('back'), { standing: 'on-trial', trials: 1 });
    assert.deepEqual(pickOf(poolOf([upstream('fine'), back])).result, 'trial');
  });

  it('lists of a large pool those that matter, and counts the others', () => {
    const slots = new SlotAllocator(SharedState.create({ upstreams: 400, pools: 1, threads: 0 }));
    const place = { state: slots.state, pool: slots.pool() };
    const all = Array.from({ length: 400 }, (_, n) => {
      const one = new Upstream(instance(`web-${n}`), { state: slots.state, slot: slots.upstream() });
      one.health = n % 4 === 0 ? 'unhealthy' : 'healthy';
      for (let load = 0; load < 400 - n; load += 1) one.claim();
      return one;
    });
    const pick = pickOf(poolOf(all, place), [all[1]!]);
    assert.equal(pick.candidates.length + pick.unlisted, 400);
    assert.deepEqual([pick.candidates.length, pick.excluded], [50, { unhealthy: 100, tried: 1 }]);
    const [winner, tried, second] = pick.candidates;
    assert.deepEqual([winner?.id, tried?.id, second?.id], ['web-399', 'web-1', 'web-398']);
    assert.equal(pick.candidates.filter(({ excluded }) => excluded === 'unhealthy').length, 15);
  });

  it('is the pick that is made, though a request of another thread ends between', () => {
    const [a, b] = [upstream('a'), upstream('b')];
    const pool = poolOf([a, b]);
    b.claim();
    class Interrupted extends LeastConnections {
      override explain(candidates: readonly Candidate[]) {
        const explanation = super.explain(candidates);
        a.claim();
        b.unclaim(false);
        return explanation;
      }
    }
    pool.balancer = new Interrupted();
    assert.equal(pickOf(pool).upstream, 'b');
  });

  it('is the pick that is made, though the time goes on between', () => {
    const [a, b] = [upstream('a'), upstream('b')];
    const pool = poolOf([a, b]);
    pool.balancer = new LeastTime();
    let time = 0;
    Object.assign(a, { cost: 100, costAt: 0 });
    Object.assign(b, { cost: 60, costAt: -2_500 }); // the cheaper one, until both have decayed to the floor
    for (let n = 0; n < 20; n += 1) pickOf(pool, [], () => (time += 700));
  });
});
