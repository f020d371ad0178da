import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HealthMonitor } from '../../../internal/health/monitor.ts';
import type { ProbeResult } from '../../../internal/health/probe.ts';
import type { PickContext } from '../../../internal/algorithms/balancer.ts';
import { Fleet } from '../../../internal/proxy/fleet.ts';
import type { Upstream } from '../../../internal/proxy/upstream.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startOf } from '../../support/promised-probe.ts';
import { instance, service } from '../../support/proxy-fakes.ts';
import { fleetListener } from '../../support/proxy-site.ts';

const CONTEXT: PickContext = { hash: () => 0, affinity: () => undefined, now: () => 0 };

/** A fleet whose instances answer probes on the ports that are `up`. */
class Harness {
  readonly clock = new ManualClock();
  readonly up = new Set<number>();
  readonly probed: number[] = [];
  readonly told: string[] = [];
  readonly fleet: Fleet;
  readonly monitor: HealthMonitor;

  readonly #start: number;

  /** @param start - what the pools' clock says at first. */
  constructor(start = 0) {
    this.#start = start;
    const log = createLogger({ name: 'test', level: 'silent' });
    this.fleet = new Fleet({
      cookieSecret: 'a secret that is long enough',
      now: () => this.now(),
      clock: this.clock,
      log,
      listener: fleetListener({
        poolChanged: ({ name }) => this.told.push(`changed ${name}`),
        poolRemoved: (name) => this.told.push(`pool gone ${name}`),
        healthChanged: ({ id }, { to }) => this.told.push(`${id} ${to}`),
        upstreamRemoved: (id) => this.told.push(`gone ${id}`),
        drained: () => this.told.push('drained'),
      }),
    });
    this.monitor = new HealthMonitor({
      startProbe: startOf(({ port }) => this.#probe(port)),
      clock: this.clock,
      random: () => 0.5,
      onTransition: (change) => this.fleet.healthChanged(change),
      log,
    });
    this.fleet.checkWith(this.monitor);
  }

  now(): number {
    return this.#start + this.clock.monotonic();
  }

  upstream(id: string): Upstream {
    const found = [...this.fleet.pools()].flatMap((pool) => pool.get(id) ?? []);
    assert.equal(found.length, 1, `${id} is there ${found.length} times`);
    return found[0]!;
  }

  ids(): string[] {
    return [...this.fleet.pools()].flatMap((pool) => [...pool.upstreams()].map(({ id }) => id));
  }

  take(): string[] {
    return this.told.splice(0);
  }

  lease() {
    return [...this.fleet.pools()][0]!.lease(CONTEXT, []);
  }

  #probe(port: number): Promise<ProbeResult> {
    this.probed.push(port);
    const passed = this.up.has(port);
    return Promise.resolve({ passed, cause: passed ? 'passed' : 'connect ECONNREFUSED', elapsedMs: 1 });
  }
}

describe('the fleet', () => {
  it('holds the instances of the configuration and of the registry, each under its service', () => {
    const { fleet } = new Harness();
    fleet.configure([service({ servers: ['10.0.0.7:8080'] }), service({ name: 'api' })]);
    fleet.apply([instance('web-1'), instance('api-1', { service: 'api' }), instance('other-1', { service: 'other' })]);
    const pools = [...fleet.pools()].map((pool) => [pool.name, [...pool.upstreams()].map(({ id }) => id)]);
    assert.deepEqual(pools, [
      ['web', ['web@10.0.0.7:8080', 'web-1']],
      ['api', ['api-1']],
    ]);
  });

  it('routes to the pool, also after the routes changed', () => {
    const { fleet } = new Harness();
    fleet.configure([service(), service({ name: 'api', routes: [{ path: '/api' }] })]);
    assert.equal(fleet.match('h', '/api/x')?.pool.name, 'api');
    fleet.configure([service(), service({ name: 'api', routes: [{ path: '/v2' }] })]);
    assert.equal(fleet.match('h', '/api/x')?.pool.name, 'web');
  });

  it('routes within a service whatever its routes, under the limit of the one that matches', () => {
    const { fleet } = new Harness();
    const rateLimit = { requests: 1, per: '1s' };
    fleet.configure([
      service({ routes: [{ path: '/api', rateLimit }] }),
      service({ name: 'api', routes: [{ path: '/api/x' }] }),
    ]);
    const [limited, free] = ['/api/x', '/other'].map((path) => fleet.matchWithin('web', 'h', path));
    assert.deepEqual([limited?.pool.name, free?.pool.name], ['web', 'web']);
    assert.equal(limited?.limiter?.check({ clientAddress: '10.0.0.1', field: () => undefined }).granted, true);
    assert.equal(free?.limiter, null);
    assert.equal(fleet.matchWithin('gone', 'h', '/api'), undefined);
  });

  it('touches nothing that a change does not concern', async () => {
    const harness = new Harness();
    const { fleet } = harness;
    fleet.configure([service()]);
    fleet.apply([instance('a'), instance('b', { port: 9_001 })]);
    harness.up.add(9_000);
    await harness.clock.advance(2_000);
    const a = harness.upstream('a');
    const lease = harness.lease();
    assert.equal(lease?.upstream, a);
    harness.take();
    fleet.apply([instance('a'), instance('c', { port: 9_002 })]);
    fleet.configure([service({ algorithm: 'least-connections' }), service({ name: 'api' })]);
    assert.equal(harness.upstream('a'), a);
    assert.deepEqual([a.inFlight, a.health], [1, 'healthy']);
    assert.deepEqual(harness.take(), ['gone b', 'changed web']);
    assert.deepEqual(harness.ids(), ['a', 'c']);
    lease?.release({ kind: 'completed', status: 200 });
    assert.equal(a.inFlight, 0);
  });

  it('says nothing when nothing changed', () => {
    const harness = new Harness();
    harness.fleet.configure([service()]);
    harness.fleet.apply([instance('a')]);
    harness.take();
    harness.fleet.apply([instance('a')]);
    harness.fleet.configure([service()]);
    assert.deepEqual(harness.take(), []);
  });

  it('sends traffic to a new instance after its first passed probe, and not before', async () => {
    const harness = new Harness();
    harness.fleet.configure([service()]);
    harness.fleet.apply([instance('a')]);
    assert.equal(harness.lease(), null);
    await harness.clock.advance(3_000);
    assert.equal(harness.upstream('a').health, 'unhealthy');
    harness.up.add(9_000);
    await harness.clock.advance(3_000);
    const lease = harness.lease();
    assert.deepEqual([lease?.upstream.id, lease?.lastResort], ['a', false]);
  });

  it('knows a restarted instance for another one: its load, latency and health begin anew', async () => {
    const harness = new Harness();
    const { fleet } = harness;
    fleet.configure([service()]);
    fleet.apply([instance('a')]);
    harness.up.add(9_000);
    await harness.clock.advance(1_000);
    const before = harness.upstream('a');
    const lease = harness.lease();
    before.cost = 12;
    harness.take();
    fleet.apply([instance('a', { startedAt: 2, restarts: 1 })]);
    const after = harness.upstream('a');
    assert.notEqual(after, before);
    assert.deepEqual([after.inFlight, after.health, after.cost], [0, 'unknown', Number.NaN]);
    assert.ok(harness.take().includes('gone a'), 'its idle connections lead to the dead process');
    lease?.release({ kind: 'reset', cause: 'it died' });
    assert.deepEqual([before.inFlight, after.inFlight], [0, 0]);
  });

  it('takes an instance that moved to another port for another one', () => {
    const harness = new Harness();
    harness.fleet.configure([service()]);
    harness.fleet.apply([instance('a')]);
    const before = harness.upstream('a');
    harness.fleet.apply([instance('a', { port: 9_005 })]);
    assert.notEqual(harness.upstream('a'), before);
  });

  it('takes over a new weight and lifecycle at once, on the same upstream', async () => {
    const harness = new Harness();
    harness.fleet.configure([service()]);
    harness.fleet.apply([instance('a')]);
    harness.up.add(9_000);
    await harness.clock.advance(1_000);
    const a = harness.upstream('a');
    harness.fleet.apply([instance('a', { weight: 5 })]);
    assert.deepEqual([a.weight, harness.upstream('a')], [5, a]);
    harness.fleet.apply([instance('a', { weight: 5, lifecycle: 'draining' })]);
    assert.equal(harness.upstream('a'), a);
    assert.equal(harness.lease(), null);
  });

  it('changes the algorithm of a service live', () => {
    const { fleet } = new Harness();
    fleet.configure([service()]);
    const [pool] = fleet.pools();
    fleet.configure([service({ algorithm: 'ip-url-hash' })]);
    assert.deepEqual([...fleet.pools()], [pool]);
    assert.equal(pool?.balancer.algorithm, 'ip-url-hash');
  });

  it('forgets a service that is not configured any more, with all it had', () => {
    const harness = new Harness();
    harness.fleet.configure([service(), service({ name: 'api' })]);
    harness.fleet.apply([instance('a'), instance('api-1', { service: 'api' })]);
    harness.take();
    harness.fleet.configure([service()]);
    assert.deepEqual(harness.take(), ['gone api-1', 'pool gone api']);
    assert.deepEqual(harness.ids(), ['a']);
  });

  it('probes what is ready, and leaves draining and crashed instances alone', async () => {
    const harness = new Harness();
    harness.fleet.configure([service()]);
    harness.fleet.apply([instance('a'), instance('b', { port: 9_001 })]);
    await harness.clock.advance(2_000);
    assert.deepEqual(new Set(harness.probed), new Set([9_000, 9_001]));
    harness.fleet.apply([
      instance('a', { lifecycle: 'draining' }),
      instance('b', { port: 9_001, lifecycle: 'backing-off' }),
    ]);
    harness.probed.length = 0;
    await harness.clock.advance(5_000);
    assert.deepEqual(harness.probed, []);
  });

  it('counts what still runs on draining instances, and tells when it ends', async () => {
    const harness = new Harness();
    harness.fleet.configure([service()]);
    harness.fleet.apply([instance('a')]);
    harness.up.add(9_000);
    await harness.clock.advance(1_000);
    const leases = [harness.lease(), harness.lease()];
    assert.deepEqual(harness.fleet.drainingInFlight(), new Map());
    harness.fleet.apply([instance('a', { lifecycle: 'draining' })]);
    assert.deepEqual(harness.fleet.drainingInFlight(), new Map([['a', 2]]));
    harness.take();
    for (const lease of leases) lease?.release({ kind: 'completed', status: 200 });
    assert.deepEqual(harness.take(), ['drained', 'drained']);
    assert.deepEqual(harness.fleet.drainingInFlight(), new Map([['a', 0]]));
  });

  it('takes an instance out at the first failed connect', async () => {
    const harness = new Harness();
    harness.fleet.configure([service()]);
    harness.fleet.apply([instance('a'), instance('b', { port: 9_001 })]);
    harness.up.add(9_000).add(9_001);
    await harness.clock.advance(1_000);
    const lease = harness.lease();
    const { id } = lease!.upstream;
    lease?.release({ kind: 'connect-failed', cause: 'ECONNREFUSED' });
    assert.equal(harness.upstream(id).health, 'unhealthy');
    assert.equal(harness.upstream(id).healthCause, 'connect ECONNREFUSED');
    for (let i = 0; i < 4; i += 1) assert.notEqual(harness.lease()?.upstream.id, id);
  });

  it('remembers health over a restart of the load balancer, for the same process only', () => {
    const harness = new Harness();
    const record = { health: 'healthy', cause: 'passed', since: 0, proxyId: 'lb' } as const;
    harness.fleet.remember([
      { ...record, instanceId: 'a', incarnation: 'a#1' },
      { ...record, instanceId: 'b', incarnation: 'b#1' },
    ]);
    harness.fleet.configure([service()]);
    harness.fleet.apply([instance('a'), instance('b', { port: 9_001, startedAt: 2 })]);
    assert.deepEqual([harness.upstream('a').health, harness.upstream('b').health], ['healthy', 'unknown']);
    assert.equal(harness.lease()?.upstream.id, 'a');
    harness.fleet.apply([]);
    harness.fleet.apply([instance('a')]);
    assert.equal(harness.upstream('a').health, 'unknown', 'news of an earlier life was used twice');
  });

  it('hands latencies on with their age, to a clock that began elsewhere, and only for the same process', async () => {
    const before = new Harness();
    before.fleet.configure([service({ servers: ['10.0.0.7:8080'] })]);
    before.fleet.apply([instance('a'), instance('b', { port: 9_001 }), instance('fresh', { port: 9_002 })]);
    await before.clock.advance(60_000);
    for (const [index, id] of ['a', 'b', 'web@10.0.0.7:8080'].entries()) {
      Object.assign(before.upstream(id), { cost: 10 * (index + 1), costAt: before.now() - 2_000 });
    }
    const records = before.fleet.latencies();
    assert.deepEqual(records.map(({ instanceId }) => instanceId).toSorted(), ['a', 'b', 'web@10.0.0.7:8080']);

    const after = new Harness(7_000_000);
    await after.clock.advance(61_000);
    after.fleet.remember([], records);
    after.fleet.configure([service({ servers: ['10.0.0.7:8080'] })]);
    after.fleet.apply([instance('a'), instance('b', { port: 9_001, startedAt: 2 })]);
    assert.equal(after.upstream('a').cost, 10);
    assert.equal(after.now() - after.upstream('a').costAt, 3_000);
    assert.equal(after.upstream('web@10.0.0.7:8080').cost, 30);
    assert.ok(Number.isNaN(after.upstream('b').cost), 'of another process');
  });

  it('remembers that an instance is down, spawned or declared: no traffic before a probe passes', () => {
    const harness = new Harness();
    const record = { cause: 'connect ECONNREFUSED', since: 0, proxyId: 'lb' };
    const ids = { down: 'web@10.0.0.7:8080', up: 'web@10.0.0.8:8080' };
    harness.fleet.remember([
      { ...record, instanceId: 'a', incarnation: 'a#1', health: 'unhealthy' },
      { ...record, instanceId: ids.down, incarnation: `${ids.down}#0`, health: 'unhealthy' },
      { ...record, instanceId: ids.up, incarnation: `${ids.up}#0`, health: 'healthy' },
    ]);
    harness.fleet.configure([service({ servers: ['10.0.0.7:8080', '10.0.0.8:8080'] })]);
    harness.fleet.apply([instance('a')]);
    for (let picks = 0; picks < 6; picks += 1) assert.equal(harness.lease()?.upstream.id, ids.up);
  });

  it('ignores news of a process that is not there any more', () => {
    const harness = new Harness();
    harness.fleet.configure([service()]);
    harness.fleet.apply([instance('a', { startedAt: 2 })]);
    harness.fleet.healthChanged({ id: 'a', incarnation: 'a#1', from: 'unknown', to: 'healthy', cause: '', at: 0 });
    assert.equal(harness.upstream('a').health, 'unknown');
  });

  // The manager drains the instances of a removed service at the moment we stop knowing it.
  it('counts the requests of a service that is configured no more until the last has ended, and begins no more', async () => {
    const harness = new Harness();
    harness.fleet.configure([service()]);
    harness.fleet.apply([instance('a')]);
    harness.up.add(9_000);
    await harness.clock.advance(1_000);
    const lease = harness.lease();
    const [pool] = harness.fleet.pools();
    harness.fleet.configure([]);
    harness.fleet.apply([instance('a', { lifecycle: 'draining' })]);
    assert.deepEqual([...harness.fleet.drainingInFlight()], [['a', 1]]);
    assert.equal(pool?.lease(CONTEXT, []), null);
    harness.take();
    lease?.release({ kind: 'completed', status: 200 });
    assert.deepEqual(harness.take(), ['drained']);
    assert.deepEqual([...harness.fleet.drainingInFlight()], []);
  });

  // The requests of whoever got the place in memory would be counted, and the drain of the old instance would never end.
  it('does not take the requests of others for those of a service that is configured no more', async () => {
    const harness = new Harness();
    harness.fleet.configure([service()]);
    harness.fleet.apply([instance('a'), instance('b', { port: 9_001 })]);
    harness.up.add(9_000).add(9_001);
    await harness.clock.advance(1_000);
    const old = harness.lease();
    const [pool] = harness.fleet.pools();
    harness.fleet.configure([service({ name: 'api' })]);
    const others = ['c', 'd', 'e'].map((id, n) => instance(id, { service: 'api', port: 9_002 + n }));
    harness.fleet.apply([
      instance('a', { lifecycle: 'draining' }),
      instance('b', { lifecycle: 'draining' }),
      ...others,
    ]);
    harness.up.add(9_002).add(9_003).add(9_004);
    await harness.clock.advance(1_000);
    const leases = [harness.lease(), harness.lease(), harness.lease()];
    const places = new Set(leases.map((lease) => lease?.upstream.slot));
    assert.ok(
      [...(pool?.upstreams() ?? [])].some(({ slot }) => places.has(slot)),
      'no place was used again',
    );
    assert.deepEqual([...harness.fleet.drainingInFlight()], [[old?.upstream.id, 1]]);
    assert.equal(pool?.lease(CONTEXT, []), null);
    old?.release({ kind: 'completed', status: 200 });
    assert.deepEqual([...harness.fleet.drainingInFlight()], []);
  });
});
