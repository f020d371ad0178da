import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PickContext } from '../../../internal/algorithms/balancer.ts';
import type { EjectionRecord } from '../../../internal/model/ejection.ts';
import { ALGORITHMS } from '../../../internal/model/algorithms.ts';
import { Ejector } from '../../../internal/proxy/ejector.ts';
import { Fleet } from '../../../internal/proxy/fleet.ts';
import type { Lease } from '../../../internal/proxy/lease.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { instance, service } from '../../support/proxy-fakes.ts';
import { fleetListener } from '../../support/proxy-site.ts';

const LOG = createLogger({ name: 'test', level: 'silent' });
/** More than between two looks. */
const LOOK = 300;

/** A service of upstreams `a`, `b`, … that are healthy, on a clock of its own. */
class Site {
  readonly clock = new ManualClock();
  /** What was told of the health of instances. */
  readonly told: string[] = [];
  readonly fleet: Fleet;
  readonly ejector: Ejector;
  #request = 0;

  constructor(count: number, settings: Readonly<Record<string, unknown>> = {}, known: readonly EjectionRecord[] = []) {
    const now = () => this.clock.monotonic();
    this.fleet = new Fleet({
      cookieSecret: 'a secret that is long enough',
      now,
      clock: this.clock,
      log: LOG,
      listener: fleetListener({
        healthChanged: ({ id }, { to, cause }) => this.told.push(`${id} ${to}: ${cause}`),
        failing: () => this.ejector.lookSoon(),
      }),
    });
    this.ejector = new Ejector({ fleet: this.fleet, clock: this.clock, now, random: () => 0, log: LOG });
    this.fleet.remember([], [], known);
    this.fleet.configure([service(settings)]);
    const names = Array.from({ length: count }, (_, n) => String.fromCodePoint(97 + n));
    this.fleet.apply(names.map((id, n) => instance(id, { port: 9_000 + n })));
    for (const id of names) this.check(id, 'healthy');
    this.told.length = 0;
    this.ejector.start();
  }

  get pool() {
    return this.fleet.pool('web') ?? assert.fail();
  }

  upstream(id: string) {
    return this.pool.get(id) ?? assert.fail();
  }

  check(id: string, to: 'healthy' | 'unhealthy', cause = 'checked'): void {
    const { incarnation, health: from } = this.upstream(id);
    if (from !== to) this.fleet.healthChanged({ id, incarnation, from, to, cause, at: this.clock.now() });
  }

  lease(): Lease | null {
    this.#request += 1;
    const hash = this.#request * 0x9e3779b1;
    const context: PickContext = { hash: () => hash, affinity: () => undefined, now: () => this.clock.monotonic() };
    return this.pool.lease(context, []);
  }

  /** A request that is answered after a while. @param statuses - by the id of the upstream; 200 by default. */
  async request(statuses: Readonly<Record<string, number>> = {}, elapsed = 0): Promise<string> {
    const lease = this.lease() ?? assert.fail('nobody was picked');
    lease.sent();
    if (elapsed > 0) await this.clock.advance(elapsed);
    const status = statuses[lease.upstream.id] ?? 200;
    lease.head(status);
    lease.release({ kind: 'completed', status });
    return lease.upstream.id;
  }

  async requests(count: number, statuses: Readonly<Record<string, number>> = {}): Promise<string[]> {
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) ids.push(await this.request(statuses));
    await this.clock.advance(0);
    return ids;
  }

  standings(): string {
    return Array.from(this.pool.upstreams(), ({ standing }) => standing).join(' ');
  }
}

describe('an upstream that fails again and again', () => {
  it('is ejected at once after five gateway errors in a row', async () => {
    const site = new Site(3);
    await site.requests(13, { b: 502 });
    assert.equal(site.standings(), 'in in in');
    await site.requests(1, { b: 502 });
    assert.equal(site.standings(), 'in ejected in');
    assert.match(site.told.join(), /^b ejected: 5 gateway errors in a row; no requests before 2026-01-02T12:00:10Z$/);
    assert.deepEqual(new Set(await site.requests(30)), new Set(['a', 'c']));
  });

  it('is let be when an answer comes in between, or errors say nothing of the kind', async () => {
    const site = new Site(3);
    await site.requests(12, { b: 503 });
    await site.requests(3);
    await site.requests(12, { b: 504 });
    await site.requests(3, { b: 404 });
    await site.requests(60, { b: 500 });
    assert.equal(site.standings(), 'in in in');
  });

  it('is let be when the errors come slowly', async () => {
    const site = new Site(2);
    for (let n = 0; n < 20; n += 1) {
      await site.requests(1, { b: 502 });
      await site.clock.advance(2_600);
    }
    assert.equal(site.standings(), 'in in');
  });

  it('is not ejected when it is the last one, or one of them is out already', async () => {
    const site = new Site(3);
    await site.requests(60, { a: 502, b: 502, c: 502 });
    assert.equal(site.standings().match(/ejected/g)?.length, 1);
    const alone = new Site(1);
    await alone.requests(20, { a: 502 });
    assert.equal(alone.standings(), 'in');
  });

  it('counts refused and reset connections, and answers that do not come in time', async () => {
    const site = new Site(2);
    for (const kind of ['reset', 'head-timeout', 'reset', 'connect-failed', 'reset'] as const) {
      for (let n = 0; n < 2; n += 1) {
        const lease = site.lease();
        lease?.release(lease.upstream.id === 'b' ? { kind, cause: 'x' } : { kind: 'client-closed' });
      }
    }
    await site.clock.advance(0);
    assert.equal(site.standings(), 'in ejected');
  });

  it('is let be where it is switched off, and let in when it gets switched off', async () => {
    const off = new Site(2, { outlierDetection: { enabled: false } });
    await off.requests(20, { b: 502 });
    await off.clock.advance(LOOK);
    assert.equal(off.standings(), 'in in');
    const site = new Site(2);
    await site.requests(20, { b: 502 });
    assert.equal(site.standings(), 'in ejected');
    site.fleet.configure([service({ outlierDetection: { enabled: false } })]);
    await site.clock.advance(LOOK);
    assert.equal(site.standings(), 'in in');
  });
});

describe('an ejected upstream', () => {
  async function ejected(settings: Readonly<Record<string, unknown>> = {}): Promise<Site> {
    const site = new Site(3, settings);
    await site.requests(15, { b: 502 });
    assert.equal(site.upstream('b').condition, 'ejected');
    return site;
  }

  it('is tried out after its time by one request at a time, and gets its share by and by when these are answered', async () => {
    const site = await ejected();
    await site.clock.advance(9_900);
    assert.equal(site.upstream('b').standing, 'ejected');
    await site.clock.advance(LOOK);
    assert.equal(site.upstream('b').standing, 'on-trial');
    assert.equal(site.upstream('b').condition, 'ejected');
    for (let trial = 0; trial < 3; trial += 1) {
      const ids = await site.requests(10);
      assert.equal(ids.filter((id) => id === 'b').length, 1);
      await site.clock.advance(LOOK);
    }
    assert.equal(site.upstream('b').standing, 'in');
    assert.equal(site.upstream('b').weight, 0.1);
    assert.equal(site.told.at(-1), 'b healthy: checked');
  });

  it('is ejected for longer when a trial fails, and for less long after good times', async () => {
    const site = await ejected({ slowStart: null });
    await site.clock.advance(10_000);
    const ids = await site.requests(4, { b: 502 });
    assert.ok(ids.includes('b'));
    const { ejection } = site.upstream('b');
    assert.equal(ejection?.times, 2);
    assert.equal(ejection.until - ejection.since, 20_000);
    assert.equal(ejection.cause, 'it failed a trial request, after: 5 gateway errors in a row');
    await site.clock.advance(20_000);
    for (let trial = 0; trial < 3; trial += 1) {
      await site.requests(4);
      await site.clock.advance(LOOK);
    }
    assert.equal(site.upstream('b').standing, 'in');
    await site.clock.advance(30_000);
    await site.requests(15, { b: 502 });
    assert.equal(site.upstream('b').ejection?.times, 1);
  });

  it('stays so however well its checks go, since they went well before, too', async () => {
    const site = await ejected();
    site.check('b', 'healthy');
    await site.clock.advance(5_000);
    assert.equal(site.upstream('b').standing, 'ejected');
  });

  it('is tried out at once when its checks pass again after they have failed', async () => {
    const site = await ejected();
    site.check('b', 'unhealthy');
    await site.clock.advance(LOOK);
    assert.equal(site.upstream('b').condition, 'unhealthy');
    site.check('b', 'healthy');
    await site.clock.advance(LOOK);
    assert.equal(site.upstream('b').standing, 'on-trial');
  });

  it('is not tried out while its checks fail', async () => {
    const site = await ejected();
    site.check('b', 'unhealthy');
    await site.clock.advance(60_000);
    assert.equal(site.upstream('b').standing, 'ejected');
    assert.ok(!(await site.requests(20)).includes('b'));
  });

  it('is not ejected anew by requests from before', async () => {
    const site = new Site(2);
    const old = Array.from({ length: 60 }, () => site.lease()).filter((lease) => lease?.upstream.id === 'b');
    await site.requests(10, { b: 502 });
    await site.clock.advance(10_000);
    for (let trial = 0; trial < 3; trial += 1) {
      await site.clock.advance(LOOK);
      await site.requests(2);
    }
    await site.clock.advance(LOOK);
    assert.equal(site.upstream('b').standing, 'in');
    for (const lease of old) lease?.release({ kind: 'head-timeout', cause: 'x' });
    await site.clock.advance(LOOK);
    await site.requests(50);
    await site.clock.advance(10_000);
    assert.equal(site.upstream('b').standing, 'in');
  });

  it('is ejected again when it leaves a trial request without an answer', async () => {
    const site = new Site(3);
    await site.request({}, 5);
    await site.clock.advance(31_000);
    await site.requests(15, { b: 502 });
    await site.clock.advance(10_000 + LOOK);
    const taken = Array.from({ length: 3 }, () => site.lease());
    for (const lease of taken) lease?.sent();
    assert.ok(taken.some((lease) => lease?.upstream.id === 'b'));
    await site.clock.advance(5_000 + 3 * LOOK);
    assert.match(site.upstream('b').ejection?.cause ?? '', /^it left a trial request without an answer for 5\.\d s/);
  });

  it('is known to the next load balancer, as long as it is the same process', async () => {
    const site = await ejected();
    const [record] = site.fleet.ejections();
    assert.ok(record);
    assert.deepEqual([record.instanceId, record.incarnation, record.times], ['b', 'b#1', 1]);
    const next = new Site(3, {}, [{ ...record, until: record.since + 20_000 }]);
    assert.equal(next.standings(), 'in ejected in');
    assert.deepEqual(next.fleet.ejections(), [{ ...record, until: record.since + 20_000 }]);
    await next.clock.advance(20_000);
    await next.requests(3, { b: 502 });
    assert.equal(next.upstream('b').ejection?.times, 2, 'it begins to count anew');
    const other = new Site(3, {}, [{ ...record, incarnation: 'b#0' }]);
    assert.equal(other.standings(), 'in in in');
  });

  for (const algorithm of ALGORITHMS) {
    it(`gets no requests, then single ones, then a tenth of its share, by ${algorithm}`, async () => {
      const site = new Site(3, { algorithm });
      const leases = Array.from({ length: 60 }, () => site.lease() ?? assert.fail());
      for (const lease of leases) lease.head(lease.upstream.id === 'b' ? 502 : 200);
      for (const lease of leases) lease.release({ kind: 'completed', status: 200 });
      await site.clock.advance(0);
      assert.equal(site.upstream('b').standing, 'ejected');
      assert.ok(!(await site.requests(100)).includes('b'));
      await site.clock.advance(10_000 + LOOK);
      for (let trial = 0; trial < 3; trial += 1) {
        assert.equal((await site.requests(100)).filter((id) => id === 'b').length, 1);
        await site.clock.advance(LOOK);
      }
      const share = (await site.requests(600)).filter((id) => id === 'b').length;
      assert.equal(site.upstream('b').standing, 'in');
      // a third would be 200; to least time it is still known as one that fails
      assert.ok((share > 0 || algorithm === 'least-time') && share < 80, `${share} of 600`);
    });
  }
});

describe('an upstream that is worse than the others', () => {
  it('is ejected for its errors at the end of an interval', async () => {
    const site = new Site(3);
    await site.clock.advance(LOOK);
    for (let n = 0; n < 30; n += 1) await site.requests(3, n % 2 === 0 ? { b: 500 } : {});
    assert.equal(site.standings(), 'in in in');
    await site.clock.advance(10_000);
    assert.equal(site.standings(), 'in ejected in');
    assert.equal(site.upstream('b').ejection?.cause, '50 % errors, the others 0 %');
  });

  it('is ejected for its latency at the end of an interval', async () => {
    const site = new Site(2);
    for (let n = 0; n < 50; n += 1) {
      const lease = site.lease() ?? assert.fail();
      lease.sent();
      const elapsed = lease.upstream.id === 'b' ? 380 : 4;
      await site.clock.advance(elapsed);
      lease.head(200);
      lease.release({ kind: 'completed', status: 200 });
    }
    await site.clock.advance(10_000);
    assert.equal(site.upstream('b').ejection?.cause, 'answers take 380 ms, the others 4 ms');
  });

  it('is let be where requests are balanced by their keys: some keys fail, or take long', async () => {
    const site = new Site(3, { algorithm: 'ip-url-hash' });
    await site.clock.advance(LOOK);
    for (let n = 0; n < 100; n += 1) await site.requests(3, n % 2 === 0 ? { b: 500 } : {});
    await site.clock.advance(10_000);
    assert.equal(site.standings(), 'in in in');
  });
});

describe('a pool that has rested', () => {
  it('is judged as before when requests come again, and rests again after them', async () => {
    const site = new Site(3);
    await site.clock.advance(60_000);
    await site.requests(90, { b: 500 });
    await site.clock.advance(25_000); // to the end of the interval, and of the ejection
    assert.match(site.told.join(), /^b ejected: 100 % errors, the others 0 %/);
    assert.equal(site.standings(), 'in on-trial in');
    await site.requests(20);
    for (let n = 0; n < 3; n += 1) {
      await site.clock.advance(LOOK);
      await site.requests(5);
    }
    await site.clock.advance(60_000);
    assert.equal(site.standings(), 'in in in');
    await site.requests(15, { b: 502 });
    assert.equal(site.standings(), 'in ejected in', 'by errors in a row');
  });
});

describe('an upstream that hangs', () => {
  async function waiting(site: Site, count: number): Promise<Lease[]> {
    await site.request({}, 5);
    await site.clock.advance(31_000);
    const leases = Array.from({ length: count }, () => site.lease() ?? assert.fail());
    for (const lease of leases) lease.sent();
    return leases;
  }

  const answer = (leases: readonly Lease[], isAnswered: (id: string) => boolean) => {
    for (const lease of leases) {
      if (!isAnswered(lease.upstream.id)) continue;
      lease.head(200);
      lease.release({ kind: 'completed', status: 200 });
    }
  };

  it('is ejected by the age of its requests, long before their time is out', async () => {
    const site = new Site(3);
    const leases = await waiting(site, 9);
    answer(leases, (id) => id !== 'b');
    await site.clock.advance(4_900);
    assert.equal(site.standings(), 'in in in');
    await site.clock.advance(2 * LOOK);
    assert.equal(site.standings(), 'in ejected in');
    assert.match(
      site.upstream('b').ejection?.cause ?? '',
      /^its 3 requests without an answer are 5\.\d s old on average/,
    );
  });

  it('is let be when answers have taken as long before', async () => {
    const site = new Site(3);
    await site.requests(6);
    await site.request({}, 25_000);
    const leases = await waiting(site, 9);
    answer(leases, (id) => id !== 'b');
    await site.clock.advance(28_000);
    assert.equal(site.standings(), 'in in in');
  });

  it('is let be when all wait: somebody behind them hangs', async () => {
    const site = new Site(3);
    await waiting(site, 9);
    await site.clock.advance(20_000);
    assert.equal(site.standings(), 'in in in');
  });

  it('is let be while a request is still on its way to it, or its answer is coming', async () => {
    const site = new Site(3);
    await site.request({}, 5);
    await site.clock.advance(31_000);
    for (let n = 0; n < 9; n += 1) {
      const lease = site.lease();
      if (lease?.upstream.id === 'c') lease.sent();
      lease?.head(200);
    }
    for (let n = 0; n < 9; n += 1) site.lease(); // uploads
    await site.clock.advance(20_000);
    assert.equal(site.standings(), 'in in in');
  });
});
