import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecentTraffic } from '../../../../internal/proxy/recent-traffic.ts';
import { TrafficRules } from '../../../../internal/proxy/rules/traffic-rules.ts';
import { ServicePool } from '../../../../internal/proxy/service-pool.ts';
import { AlertRuleSchema } from '../../../../pkg/alerts/rules/schema.ts';
import { RecordingSink } from '../../../support/alert-sink.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { service, upstream } from '../../../support/proxy-fakes.ts';

const SECRET = 'a secret that is long enough';

class Site {
  readonly clock = new ManualClock();
  readonly sink = new RecordingSink();
  readonly pools: ServicePool[] = [];
  readonly recent = new RecentTraffic(this.clock, () => this.pools);
  readonly rules = new TrafficRules({
    sink: this.sink,
    clock: this.clock,
    pools: () => this.pools,
    recent: this.recent,
  });

  constructor(...services: readonly Readonly<Record<string, unknown>>[]) {
    for (const settings of services) {
      const pool = new ServicePool(service(settings), SECRET, { connectFailed() {}, drained() {} }, () => 0);
      for (const id of ['1', '2', '3']) pool.put(upstream(`${pool.name}-${id}`, { service: pool.name }));
      this.pools.push(pool);
    }
    this.recent.start();
    this.rules.lead(true);
  }

  configure(...rules: readonly object[]): void {
    this.rules.configure(rules.map((rule) => AlertRuleSchema.parse(rule)));
  }

  /** Requests of this second, and of so many that follow. */
  async serve(seconds: number, requests: number, { failed = 0, ms = 10, by = 'web-1' } = {}): Promise<string[]> {
    const pool = this.pools.find(({ name }) => by.startsWith(name));
    for (let second = 0; second < seconds; second += 1) {
      for (let n = 0; n < requests; n += 1) {
        const of = pool!.get(by)!;
        of.claim();
        of.took(ms);
        of.unclaim(n < failed);
        pool!.ended({ status: n < failed ? 500 : 200, hasFailed: n < failed, receivedBytes: 0, sentBytes: 0 }, 1);
      }
      await this.clock.advance(1_000);
    }
    return this.sink.take();
  }

  reading(when: string): string {
    const view = this.rules.views().find(({ rule }) => rule.startsWith(when));
    return `${view?.state}: ${view?.reading}`;
  }
}

describe('a rule about the error rate', () => {
  const RULE = { when: 'error-rate', above: '5%', over: '10s', for: '5s' };

  it('is about what clients got, over its window, and names the worst instances', async () => {
    const site = new Site({});
    site.configure(RULE);
    assert.deepEqual(await site.serve(20, 100, { failed: 5 }), [], '5 % is not above 5 %');
    assert.deepEqual(await site.serve(10, 100, { failed: 20, by: 'web-2' }), ['! error-rate:web/warning/5%']);
    const [{ title, cause } = { title: '', cause: '' }] = site.sink.raised;
    assert.equal(title, 'web: error rate above 5%');
    assert.match(
      cause ?? '',
      /^\d+(\.\d)?%: \d+ of 1000 requests in 10 s failed\nweb-\d: .* attempts failed\nweb-\d: /,
    );
    assert.deepEqual(await site.serve(30, 100), ['ok error-rate:web/warning/5%']);
  });

  it('says nothing of a few requests, and how many there were', async () => {
    const site = new Site({});
    site.configure(RULE);
    assert.deepEqual(await site.serve(30, 1, { failed: 1 }), []);
    assert.equal(site.reading('error rate'), 'unknown: 10 requests in 10 s, needs 20');
  });

  it('knows nothing of the time in which there was no rule', async () => {
    const site = new Site({});
    site.configure(RULE);
    site.configure();
    await site.serve(600, 10, { failed: 10 });
    site.configure(RULE);
    assert.deepEqual(await site.serve(9, 10), []);
    assert.equal(site.reading('error rate'), 'ok: 0%: 0 of 90 requests in 10 s failed');
  });

  it('does not blame anybody when those that failed are gone', async () => {
    const site = new Site({});
    site.configure(RULE);
    await site.serve(2, 100, { failed: 100 });
    site.pools[0]!.put(upstream('web-1'));
    await site.serve(4, 0);
    assert.match(
      site.sink.raised[0]?.cause ?? '',
      /failed\nnone of these instances failed: those that did are gone, or /,
    );
  });

  it('is about its services only, of each apart', async () => {
    const site = new Site({}, { name: 'api' });
    site.configure({ ...RULE, services: ['api'] });
    assert.deepEqual(await site.serve(20, 100, { failed: 50 }), []);
    assert.deepEqual(await site.serve(20, 100, { failed: 50, by: 'api-1' }), ['! error-rate:api/warning/5%']);
  });
});

describe('a rule about the p99', () => {
  it('is about all instances of a service together, and names the slowest', async () => {
    const site = new Site({});
    site.configure({ when: 'p99', above: '800ms', over: '10s', for: '5s' });
    await site.serve(10, 100);
    await site.serve(10, 5, { ms: 2_000, by: 'web-3' });
    await site.serve(5, 100);
    assert.equal(site.sink.raised[0]?.key, 'p99:web/warning/800 ms');
    assert.match(site.sink.raised[0]?.cause ?? '', /^p99 \d{4} ms, p50 [\d.]+ ms of \d+ answers in 10 s\nweb-3: p99 /);
    assert.match(site.reading('p99'), /^firing: /);
    site.sink.take();
    assert.deepEqual(await site.serve(40, 100), ['ok p99:web/warning/800 ms']);
  });

  it('says nothing of a few answers', async () => {
    const site = new Site({});
    site.configure({ when: 'p99', above: '800ms', over: '10s' });
    await site.serve(9, 9, { ms: 2_000 });
    assert.match(site.reading('p99'), /^unknown: \d\d answers in 10 s, needs 100$/);
  });
});

describe('a rule about saturation', () => {
  const RULE = { when: 'saturation', above: '80%', for: '5s' };

  it('is about the room that healthy instances have for requests', async () => {
    const site = new Site({ maxConnections: 2 });
    const [pool] = site.pools;
    const running = [...pool!.upstreams()].flatMap((each) => [each, each]).slice(0, 5); // of six
    for (const each of running) each.claim();
    site.configure(RULE);
    await site.clock.advance(4_000);
    assert.equal(site.reading('more than 80%').split(';')[0], 'pending: 83% in use');
    await site.clock.advance(4_000);
    assert.deepEqual(site.sink.take(), ['! saturation:web/warning/80%']);
    for (const each of running) each.unclaim(false);
    await site.clock.advance(30_000);
    assert.deepEqual(site.sink.take(), ['ok saturation:web/warning/80%']);
  });

  it('knows what instances were found to take', async () => {
    const site = new Site({ adaptiveConcurrency: {} });
    const [pool] = site.pools;
    for (const each of pool!.upstreams()) Object.assign(each, { concurrency: 4 }).claim();
    site.configure(RULE);
    await site.clock.advance(2_000);
    assert.equal(
      site.reading('more than 80%'),
      'ok: 25% in use; now 3 in flight, with room for 12, and 0 waiting (of 1000)',
    );
  });

  it('says nothing where there is no limit', async () => {
    const site = new Site({});
    site.configure(RULE);
    await site.clock.advance(60_000);
    assert.match(site.reading('more than 80%'), /^unknown: no limit of requests/);
  });
});

describe('a rule about unhealthy instances', () => {
  it('counts those that should serve and do not, and tells why', async () => {
    const site = new Site({});
    site.configure({ when: 'unhealthy', above: '50%', for: '5s' });
    const [pool] = site.pools;
    Object.assign(pool!.get('web-1')!, { health: 'unhealthy', healthCause: 'status 503' });
    pool!.put(upstream('web-4', { lifecycle: 'draining', health: 'unhealthy' }));
    pool!.put(upstream('web-5', { lifecycle: 'starting', health: 'unknown' }));
    await site.clock.advance(10_000);
    assert.equal(site.reading('more than 50%'), 'ok: 1 of 3 instances');
    pool!.put(upstream('web-2', { lifecycle: 'backing-off', lastError: 'exited with code 1' }));
    await site.clock.advance(10_000);
    assert.deepEqual(site.sink.take(), ['! unhealthy:web/warning/50%']);
    assert.match(
      site.sink.raised[0]?.cause ?? '',
      /^2 of 3 instances\nweb-1: status 503\nweb-2: exited with code 1\nnext/,
    );
  });
});

describe('rules about traffic', () => {
  const ALWAYS = { when: 'unhealthy', above: '10%', for: '1s' };

  function broken(): Site {
    const site = new Site({});
    Object.assign(site.pools[0]!.get('web-1')!, { health: 'unhealthy' });
    return site;
  }

  it('come and go with the configuration; without any nothing runs', async () => {
    const site = broken();
    site.recent.stop();
    site.configure();
    assert.equal(site.clock.pending, 0);
    site.configure(ALWAYS);
    await site.clock.advance(3_000);
    assert.deepEqual(site.sink.take(), ['! unhealthy:web/warning/10%']);
    site.configure({ ...ALWAYS, above: '20%' });
    await site.clock.advance(3_000);
    assert.deepEqual(site.sink.take(), ['ok unhealthy:web/warning/10%', '! unhealthy:web/warning/20%']);
    site.configure();
    assert.deepEqual([site.sink.take(), site.clock.pending], [['ok unhealthy:web/warning/20%'], 0]);
  });

  it('are told of by the load balancer that speaks for all, and left to its successor', async () => {
    const site = broken();
    site.rules.lead(false);
    site.configure(ALWAYS);
    await site.clock.advance(5_000);
    assert.deepEqual(site.sink.take(), []);
    site.rules.lead(true);
    assert.deepEqual(site.sink.take(), ['! unhealthy:web/warning/10%']);
    site.rules.lead(false);
    assert.deepEqual(site.sink.take(), ['left unhealthy:web/warning/10%']);
  });

  it('go on with what another load balancer has told of', async () => {
    const site = broken();
    site.configure(ALWAYS);
    const alert = { severity: 'warning', title: 'told', at: 1 } as const;
    const keys = ['unhealthy:web/warning/10%', 'unhealthy:gone/warning/10%', 'thread-crashed:1'];
    const others = site.rules.inherit(keys.map((key) => ({ ...alert, key })));
    assert.deepEqual(
      others.map(({ key }) => key),
      ['thread-crashed:1'],
    );
    await site.clock.advance(5_000);
    assert.deepEqual(site.sink.take(), ['ok unhealthy:gone/warning/10%']);
    site.rules.lead(false);
    assert.deepEqual(site.sink.take(), ['left unhealthy:web/warning/10%']);
  });
});
