import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Service } from '../../../../internal/model/service.ts';
import type { RateLimiter } from '../../../../internal/proxy/rate-limit/rate-limiter.ts';
import { RateLimits } from '../../../../internal/proxy/rate-limit/rate-limits.ts';
import { rateLimitsView } from '../../../../internal/proxy/rate-limit/view.ts';
import { ServicePool } from '../../../../internal/proxy/service-pool.ts';
import { service } from '../../../support/proxy-fakes.ts';

const LIMIT = { requests: 2, per: '10s' };

function limited(limit: Readonly<Record<string, unknown>> = LIMIT, name = 'web', path = '/api'): Service {
  return service({ name, routes: [{ path, rateLimit: limit }, { path: '/free' }] });
}

/** The limits of a main thread and of two others, on a clock that stands still unless it is set. */
class Site {
  now = 1_000;
  readonly main = RateLimits.create(2, () => this.now, 1_024);
  readonly threads = [1, 2].map((thread) => RateLimits.attach(this.main.memory, thread, () => this.now));

  /** The limiters of the first route, of each thread. */
  limiters(configured: Service): RateLimiter[] {
    this.main.configure([configured]);
    const [route = assert.fail()] = configured.routes;
    return this.threads.map((limits) => limits.limiterFor(configured.name, route) ?? assert.fail());
  }

  view(...services: Service[]) {
    const events = { connectFailed() {}, drained() {} };
    const pools = services.map((each) => new ServicePool(each, 'a secret of the tests', events, () => this.now));
    return rateLimitsView(pools, this.main);
  }
}

function from(clientAddress: string, fields: Readonly<Record<string, string>> = {}) {
  return { clientAddress, field: (name: string) => fields[name] };
}

describe('the limits of routes', () => {
  it('are one for all threads, and one for each client', () => {
    const site = new Site();
    const [one = assert.fail(), two = assert.fail()] = site.limiters(limited());
    const verdicts = [one, two, one].map((limiter) => limiter.check(from('10.0.0.1')));
    assert.deepEqual(verdicts, [
      { granted: true, remaining: 1, waitMs: 5_000 },
      { granted: true, remaining: 0, waitMs: 5_000 },
      { granted: false, remaining: 0, waitMs: 5_000 },
    ]);
    assert.equal(two.check(from('10.0.0.2')).granted, true);
    site.now += 5_000;
    assert.deepEqual(
      [two, one].map((limiter) => limiter.check(from('10.0.0.1')).granted),
      [true, false],
    );
  });

  it('tell clients by the header that is named, and without it by the address', () => {
    const site = new Site();
    const [limiter = assert.fail()] = site.limiters(limited({ requests: 1, per: '10s', key: 'header:X-Api-Key' }));
    const ask = (address: string, key?: string) =>
      limiter.check(from(address, key === undefined ? {} : { 'x-api-key': key })).granted;
    assert.deepEqual([ask('10.0.0.1', 'a'), ask('10.0.0.2', 'a'), ask('10.0.0.1', 'b')], [true, false, true]);
    assert.deepEqual([ask('10.0.0.1'), ask('10.0.0.1'), ask('10.0.0.1', '')], [true, false, false]);
  });

  // The address of somebody else in the header would use up what is theirs.
  it('do not take a header for an address', () => {
    const site = new Site();
    const [limiter = assert.fail()] = site.limiters(limited({ requests: 1, per: '10s', key: 'header:x-api-key' }));
    limiter.check(from('10.6.6.6', { 'x-api-key': '10.0.0.1' }));
    assert.equal(limiter.check(from('10.0.0.1')).granted, true);
  });

  it('go on where they were when they come again as they are, and begin anew with other values', () => {
    const site = new Site();
    const same = () => site.limiters(limited())[0] ?? assert.fail();
    same().check(from('10.0.0.1'));
    assert.equal(same().check(from('10.0.0.1')).remaining, 0);
    for (const other of [
      limited({ ...LIMIT, burst: 3 }),
      limited({ ...LIMIT, per: '20s' }),
      limited(LIMIT, 'api'),
      limited(LIMIT, 'web', '/v2'),
    ]) {
      const [limiter = assert.fail()] = site.limiters(other);
      const { remaining } = limiter.check(from('10.0.0.1'));
      assert.equal(remaining, (other.routes[0]?.rateLimit?.burst ?? 0) - 1);
    }
    assert.equal(same().check(from('10.0.0.1')).granted, false);
  });

  it('cannot be foreseen: another load balancer keeps the same clients in other places', () => {
    const places = Array.from({ length: 4 }, () => {
      const { main } = new Site();
      main.configure([limited()]);
      return new Int32Array(main.memory.buffer, 0, 2).join();
    });
    assert.equal(new Set(places).size, 4);
  });

  it('are counted for each route, over all threads, from its configuration on', () => {
    const site = new Site();
    const web = limited();
    for (const limiter of site.limiters(web)) for (let n = 0; n < 2; n += 1) limiter.check(from('10.0.0.1'));
    const shown = { service: 'web', host: '*', path: '/api', requests: 2, perSeconds: 10, burst: 2, key: 'ip' };
    assert.deepEqual(site.view(web), {
      limits: [{ ...shown, granted: 2, refused: 2 }],
      clients: { inUse: 1, room: 1_024, givenUp: 0 },
    });
    const other = limited({ ...LIMIT, requests: 3 });
    const [late = assert.fail()] = site.limiters(web);
    site.main.configure([other]);
    late.check(from('10.0.0.1')); // by a thread that has not heard of it
    assert.deepEqual(
      site.view(other).limits.map(({ granted, refused }) => [granted, refused]),
      [[0, 0]],
    );
    site.main.configure([web]);
    assert.deepEqual(
      site.view(web).limits.map(({ granted, refused }) => [granted, refused]),
      [[0, 0]],
    );
  });

  it('are told in fields that a structured parser reads', () => {
    const site = new Site();
    const [limiter = assert.fail()] = site.limiters(limited({ requests: 5, per: '1m', burst: 2 }, 'web', '/a "b"\\é'));
    const name = '"/a%20%22b%22%5C%C3%A9"';
    const verdict = limiter.check(from('10.0.0.1'));
    const fields = ['RateLimit-Policy', `${name};q=5;w=60`, 'RateLimit', `${name};r=1;t=12`];
    assert.deepEqual(limiter.fieldsFor(verdict), fields);
    assert.equal(limiter.linesFor(verdict), `${fields[0]}: ${fields[1]}\r\n${fields[2]}: ${fields[3]}\r\n`);
    site.now += 500;
    limiter.check(from('10.0.0.1'));
    const { retryAfter, fields: last = [] } = limiter.detailsFor(limiter.check(from('10.0.0.1')));
    assert.deepEqual([retryAfter, last[3]], [12, `${name};r=0;t=12`]); // 11.5 s
  });

  it('never ask to come back at once', () => {
    const site = new Site();
    const [limiter = assert.fail()] = site.limiters(limited({ requests: 1_000, per: '1s', burst: 1 }));
    limiter.check(from('10.0.0.1'));
    assert.equal(limiter.detailsFor(limiter.check(from('10.0.0.1'))).retryAfter, 1);
  });
});
