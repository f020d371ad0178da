import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PickContext } from '../../../internal/algorithms/balancer.ts';
import type { Instance } from '../../../internal/model/instance.ts';
import { ALGORITHMS } from '../../../internal/model/algorithms.ts';
import { Fleet } from '../../../internal/proxy/fleet.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { instance, service } from '../../support/proxy-fakes.ts';
import { fleetListener } from '../../support/proxy-site.ts';

/** A fleet in which the test says who is healthy, on a clock of its own. */
class Site {
  readonly clock = new ManualClock();
  readonly fleet: Fleet;
  #rows: Instance[] = [];

  constructor(settings: Readonly<Record<string, unknown>> = {}) {
    this.fleet = new Fleet({
      cookieSecret: 'a secret that is long enough',
      now: () => this.clock.monotonic(),
      clock: this.clock,
      log: createLogger({ name: 'test', level: 'silent' }),
      listener: fleetListener(),
    });
    this.fleet.configure([service({ slowStart: '10s', ...settings })]);
  }

  /** A process that was started now, or at another time; seen while it starts unless it is `found`. */
  start(id: string, { startedAt = this.clock.now(), found = false, weight = 1 } = {}): void {
    const row = instance(id, { startedAt, weight, port: 9_000 + this.#rows.length });
    const others = this.#rows.filter((other) => other.id !== id);
    if (!found) this.fleet.apply([...others, { ...row, lifecycle: 'starting' }]);
    this.#rows = [...others, row];
    this.fleet.apply(this.#rows);
    this.become(id, 'healthy');
  }

  stop(id: string): void {
    this.#rows = this.#rows.filter((row) => row.id !== id);
    this.fleet.apply(this.#rows);
  }

  become(id: string, to: 'healthy' | 'unhealthy'): void {
    const { incarnation, health: from } = this.upstream(id);
    this.fleet.healthChanged({ id, incarnation, from, to, cause: '', at: 0 });
  }

  upstream(id: string) {
    return this.fleet.pool('web')?.get(id) ?? assert.fail();
  }

  weights(): number[] {
    return Array.from(this.fleet.pool('web')?.upstreams() ?? [], ({ weight }) => weight);
  }
}

describe('a new upstream', () => {
  it('begins with a tenth of its weight, which grows twice a second, beside one that has been there', async () => {
    const site = new Site();
    site.start('old', { startedAt: 1, found: true });
    site.start('new', { weight: 4 });
    assert.deepEqual(site.weights(), [1, 0.4]);
    await site.clock.advance(2_600);
    assert.deepEqual(site.weights(), [1, 1]);
    await site.clock.advance(2_500);
    assert.deepEqual(site.weights(), [1, 2]);
    await site.clock.advance(5_000);
    assert.deepEqual(site.weights(), [1, 4]);
    assert.equal(site.clock.pending, 0, 'the timer goes on for nobody');
  });

  it('has all of it when it is the first, or they all are new', async () => {
    const site = new Site();
    site.start('first');
    site.start('second');
    await site.clock.advance(3_000);
    site.start('third');
    assert.deepEqual(site.weights(), [1, 1, 1]);
    await site.clock.advance(8_000);
    site.start('fourth');
    assert.deepEqual(site.weights(), [1, 1, 1, 0.1]);
  });

  it('has all of it as soon as the others are gone', async () => {
    const site = new Site();
    site.start('old', { startedAt: 1, found: true });
    site.start('new');
    await site.clock.advance(1_000);
    site.stop('old');
    assert.deepEqual(site.weights(), [1]);
  });

  it('is one that was restarted, too, and one that has recovered', async () => {
    const site = new Site();
    for (const id of ['a', 'b', 'c']) site.start(id, { startedAt: 1, found: true });
    site.become('a', 'unhealthy');
    site.become('a', 'healthy');
    site.start('b');
    assert.deepEqual([site.upstream('a').weight, site.upstream('b').weight, site.upstream('c').weight], [0.1, 0.1, 1]);
  });

  it('is none that was running before the load balancer came', () => {
    const site = new Site();
    site.start('old', { startedAt: site.clock.now() - 10_000, found: true });
    site.start('young', { startedAt: site.clock.now() - 9_000, found: true });
    site.start('as old', { startedAt: site.clock.now() - 10_000, found: true });
    assert.deepEqual(site.weights(), [1, 0.1, 1]);
  });

  it('is none of the declared servers that are there from the start, but one that is added', () => {
    const site = new Site({ servers: ['10.0.0.1:80', '10.0.0.2:80'] });
    site.become('web@10.0.0.1:80', 'healthy');
    site.become('web@10.0.0.2:80', 'healthy');
    assert.deepEqual(site.weights(), [1, 1]);
    site.fleet.configure([service({ servers: ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'] })]);
    site.become('web@10.0.0.3:80', 'healthy');
    assert.deepEqual(site.weights(), [1, 1, 0.1]);
  });

  it('keeps its share when its weight is set meanwhile', async () => {
    const site = new Site();
    site.start('old', { startedAt: 1, found: true });
    site.start('new');
    await site.clock.advance(5_000);
    const rows = Array.from(site.fleet.pool('web')?.upstreams() ?? [], (each) => ({ ...each.instance, weight: 8 }));
    site.fleet.apply(rows);
    assert.deepEqual(site.weights(), [8, 4]);
  });

  it('has all of it where slow start is off, or is turned off', () => {
    const site = new Site({ slowStart: null });
    site.start('old', { startedAt: 1, found: true });
    site.start('new');
    assert.deepEqual(site.weights(), [1, 1]);
    const other = new Site();
    other.start('old', { startedAt: 1, found: true });
    other.start('new');
    other.fleet.configure([service({ slowStart: null })]);
    assert.deepEqual(other.weights(), [1, 1]);
  });

  for (const algorithm of ALGORITHMS) {
    it(`gets about a tenth of what the other does, by ${algorithm}`, () => {
      const site = new Site({ algorithm });
      site.start('old', { startedAt: 1, found: true });
      site.start('new');
      const pool = site.fleet.pool('web') ?? assert.fail();
      for (let request = 0; request < 1_000; request += 1) {
        const context: PickContext = {
          hash: () => request * 0x9e3779b1,
          affinity: () => undefined,
          now: () => request,
        };
        pool.lease(context, [])?.release({ kind: 'completed', status: 200 });
      }
      assert.ok(site.upstream('new').picks < 200, `${site.upstream('new').picks} of 1000`);
    });
  }

  it('gets more by the second, also by an algorithm that looks at weights only when the list is new', async () => {
    const site = new Site({ algorithm: 'random-two-choices' });
    site.start('old', { startedAt: 1, found: true });
    site.start('new');
    const picksOf = (count: number) => {
      const before = site.upstream('new').picks;
      const context: PickContext = { hash: () => 0, affinity: () => undefined, now: () => 0 };
      const pool = site.fleet.pool('web') ?? assert.fail();
      for (let n = 0; n < count; n += 1) pool.lease(context, [])?.release({ kind: 'completed', status: 200 });
      return site.upstream('new').picks - before;
    };
    const first = picksOf(2_000);
    await site.clock.advance(9_600);
    const last = picksOf(2_000);
    assert.ok(first < 400 && last > 800, `${first} ${last}`); // by chance once in far more runs than there will be
  });

  it('keeps the clients whose cookie names it', () => {
    const site = new Site({ algorithm: 'sticky-round-robin' });
    site.start('old', { startedAt: 1, found: true });
    site.start('new');
    const context: PickContext = { hash: () => 0, affinity: () => 'new', now: () => 0 };
    for (let request = 0; request < 20; request += 1) {
      assert.equal(site.fleet.pool('web')?.lease(context, [])?.upstream.id, 'new');
    }
  });

  it('takes keys over one by one, and gives none back, by ip-url-hash', async () => {
    const site = new Site({ algorithm: 'ip-url-hash' });
    for (const id of ['a', 'b']) site.start(id, { startedAt: 1, found: true });
    site.start('new');
    const ownerOf = (key: number) => {
      const context: PickContext = { hash: () => key * 0x9e3779b1, affinity: () => undefined, now: () => 0 };
      return site.fleet.pool('web')?.lease(context, [])?.upstream.id;
    };
    const keys = Array.from({ length: 300 }, (_, key) => key);
    let before = keys.map(ownerOf);
    const sizes = [before.filter((owner) => owner === 'new').length];
    for (let second = 1; second <= 10; second += 1) {
      await site.clock.advance(1_000);
      const now = keys.map(ownerOf);
      for (const key of keys) if (now[key] !== before[key]) assert.equal(now[key], 'new');
      before = now;
      sizes.push(now.filter((owner) => owner === 'new').length);
    }
    assert.ok((sizes[0] ?? 0) < 40 && (sizes.at(-1) ?? 0) > 70, sizes.join(' '));
  });
});
