import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type AdminOptions, startAdmin } from '../../../internal/proxy/admin.ts';
import { ConcurrencyLimit } from '../../../internal/health/concurrency.ts';
import type { Listener } from '../../../internal/proxy/engine.ts';
import { RecentTraffic } from '../../../internal/proxy/recent-traffic.ts';
import { ServicePool } from '../../../internal/proxy/service-pool.ts';
import { ServiceOutlookSchema } from '../../../internal/model/service-outlook.ts';
import { single } from '../../../pkg/metrics/family.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { service, upstream } from '../../support/proxy-fakes.ts';
import { eventually, rawClient } from '../../support/proxy-raw.ts';

const RATE_LIMITS = { limits: [], clients: { inUse: 1, room: 8, givenUp: 0 } };

describe('the admin interface', () => {
  const pool = new ServicePool(
    service(),
    'a secret that is long enough',
    { connectFailed() {}, drained() {} },
    () => 0,
  );
  pool.put(upstream('web-1', { port: 9_001, weight: 2 }));
  Object.assign(pool.get('web-1') ?? {}, { weight: 0.5 }); // as in a slow start
  pool.put(upstream('web-2', { port: 9_002, health: 'unhealthy' }));
  Object.assign(pool.get('web-2') ?? {}, {
    concurrency: 7,
    concurrencyLimit: new ConcurrencyLimit({ min: 1, max: 9, tolerance: 2 }, 0, () => 0),
  });
  for (let i = 0; i < 3; i += 1) pool.get('web-1')!.claim();
  pool.get('web-1')!.claim();
  pool.get('web-1')!.took(20);
  pool.get('web-1')!.unclaim(false);
  let token: string | undefined;
  let results: readonly unknown[] | Error = [];
  let admin: Listener;
  const logged: { readonly actor?: string; readonly address?: string; readonly path?: string; readonly msg: string }[] =
    [];
  const options: AdminOptions = {
    version: '1.2.3',
    pools: () => [pool],
    recent: new RecentTraffic(new ManualClock(), () => [pool]),
    rules: () => [{ rule: 'error rate above 5%', subject: 'web', state: 'ok', reading: '0% of 40 requests in 1 min' }],
    explain: async () => ({ found: null, kept: 7, since: 0, isOurs: true, silent: [2] }),
    status: () => ({ status: 'ok', pid: 7 }),
    rateLimits: () => RATE_LIMITS,
    reload: async () => ({ pid: 1, successor: 2 }),
    relayKey: 'k',
    metrics: async () => [single('gauge', 'heimdall_registry_available', 'Whether it is there.', 1)],
    testAlerts: () => (results instanceof Error ? Promise.reject(results) : Promise.resolve(results)),
    guard: () => ({ allowedHosts: ['lb.example'], allowedHostsKey: 'manager.allowedHosts', token }),
    log: createLogger({
      name: 'test',
      level: 'info',
      pretty: false,
      destination: { write: (line) => logged.push(JSON.parse(line)) },
    }),
  };
  before(async () => {
    admin = await startAdmin(options, '127.0.0.1', 0);
  });
  after(() => admin.close(0));

  const ask = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${admin.port}${path}`, init);

  it('shows the process and a summary of every service', async () => {
    const response = await ask('/status');
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.deepEqual(await response.json(), {
      status: 'ok',
      pid: 7,
      services: [
        { name: 'web', algorithm: 'round-robin', upstreams: 2, healthy: 1, inFlight: 3, waiting: 0, paused: false },
      ],
    });
  });

  it('shows every upstream with its health and load', async () => {
    const [first, second, ...others] = (await (await ask('/upstreams')).json()) as Record<string, unknown>[];
    assert.equal(others.length, 0);
    assert.deepEqual(first, {
      id: 'web-1',
      service: 'web',
      url: 'http://127.0.0.1:9001',
      lifecycle: 'ready',
      health: 'healthy',
      healthCause: 'not checked yet',
      ejection: null,
      weight: 2,
      weightInForce: 0.5,
      inFlight: 3,
      picks: 4,
      failures: 0,
      latencyMs: null,
      concurrency: null,
      lastMinute: { requests: 1, failures: 0, p50Ms: 19.8, p95Ms: 20.4, p99Ms: 20.5 },
    });
    assert.equal(second?.['health'], 'unhealthy');
    assert.deepEqual(second?.['concurrency'], { limit: 7, unloadedMs: null });
  });

  it('shows what the rate limits have done', async () => {
    assert.deepEqual(await (await ask('/rate-limits')).json(), RATE_LIMITS);
  });

  it('gives Prometheus what it reads', async () => {
    const response = await ask('/metrics');
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(
      await response.text(),
      /^# HELP .*\n# TYPE heimdall_registry_available gauge\nheimdall_registry_available 1\n/,
    );
  });

  it('shows how the rules for alerts stand', async () => {
    const [rule] = (await (await ask('/rules')).json()) as Record<string, unknown>[];
    assert.equal(rule?.['state'], 'ok');
  });

  it('tells why there is nothing to tell of a request, and what is kept', async () => {
    const response = await ask('/explain/abc');
    assert.equal(response.status, 404);
    const problem = (await response.json()) as Record<string, unknown>;
    assert.match(String(problem['detail']), /was here, but is not kept.*Kept are 7 requests.*did not answer: 2\./);
    assert.deepEqual([problem['kept'], problem['isOurs'], problem['silent']], [7, true, [2]]);
    assert.equal((await ask('/explain/a%20b')).status, 400);
    assert.equal((await ask('/explain/%')).status, 404);
    assert.equal((await ask('/explain/abc', { method: 'POST' })).status, 405);
  });

  it('tells who gets the requests of a service, and why', async () => {
    const outlook = ServiceOutlookSchema.parse(await (await ask('/why/web')).json());
    assert.equal(outlook.sentence, '1 of 2 get requests.');
    const [first, second] = outlook.upstreams;
    assert.match(
      first?.sentence ?? '',
      /^Gets requests: 100 % of the weights; its slow start is at 25 % of its weight/,
    );
    assert.deepEqual([second?.excluded, second?.share], ['unhealthy', 0]);
    const unknown = await ask('/why/shop');
    assert.equal(unknown.status, 404);
    assert.match(await unknown.text(), /There are: web\./);
  });

  it('explains itself to curl', async () => {
    const response = await ask('/');
    assert.match(response.headers.get('content-type') ?? '', /text\/plain/);
    const text = await response.text();
    assert.match(text, new RegExp(`curl http://127\\.0\\.0\\.1:${admin.port}/upstreams`));
    assert.match(text, /heimdall 1\.2\.3/);
  });

  it('answers HEAD with the head alone', async () => {
    const response = await ask('/status', { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), '');
  });

  it('sends a trial alert and passes on what became of it', async () => {
    results = [{ channel: 'mail', ok: true }];
    const response = await ask('/alerts/test', { method: 'POST' });
    assert.deepEqual([response.status, await response.json()], [200, results]);
    results = [];
    const nowhere = await ask('/alerts/test', { method: 'POST' });
    assert.equal(nowhere.status, 409);
    assert.match(await nowhere.text(), /No alert channel is configured/);
  });

  it('tells the log who has asked for something, and nothing of who only looks', async () => {
    logged.length = 0;
    await ask('/status', { headers: { 'Heimdall-Actor': 'ann' } });
    const headers = { 'Heimdall-Actor': 'J%C3%B6rg%0A%1B[2J' };
    assert.equal((await ask('/reload', { method: 'POST', headers })).status, 200);
    assert.equal((await ask('/alerts/test', { method: 'POST' })).status, 409);
    assert.deepEqual(
      logged.map(({ actor, address, path }) => [actor, address, path]),
      [
        ['Jörg[2J', '127.0.0.1', '/reload'],
        ['anonymous', '127.0.0.1', '/alerts/test'],
      ],
    );
    assert.equal(logged[0]?.msg, 'Jörg[2J asked for POST /reload (from 127.0.0.1)');
  });

  it('turns a fault of its own into a 500 that says nothing about it, and goes on', async () => {
    results = new Error('password of the mail server');
    const response = await ask('/alerts/test', { method: 'POST' });
    assert.equal(response.status, 500);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    assert.doesNotMatch(await response.text(), /password/);
    results = [];
    assert.equal((await ask('/status')).status, 200);
  });

  it('knows its paths and methods, and nothing that every object has', async () => {
    for (const path of ['/nothing', '/constructor', '/__proto__', '/status/']) {
      assert.equal((await ask(path)).status, 404, path);
    }
    const response = await ask('/status', { method: 'DELETE' });
    assert.deepEqual([response.status, response.headers.get('allow')], [405, 'GET']);
    assert.equal((await ask('/alerts/test?x=1')).status, 405);
  });

  // DNS rebinding: a page of evil.example points its own name at 127.0.0.1 and reads on.
  it('is not there for a name that is not its own', async () => {
    const answerTo = async (host: string) => {
      const client = await rawClient(admin.port, `GET /status HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      const answer = await client.rest();
      client.close();
      return answer.slice(9, 12);
    };
    assert.equal(await answerTo('evil.example'), '403');
    assert.equal(await answerTo('localhost:1'), '200');
    assert.equal(await answerTo('lb.example'), '200');
    assert.equal(
      (await ask('/alerts/test', { method: 'POST', headers: { origin: 'http://evil.example' } })).status,
      403,
    );
  });

  it('asks for the token when there is one', async () => {
    token = 'a long token';
    try {
      const without = await ask('/status');
      assert.deepEqual([without.status, without.headers.get('www-authenticate')], [401, 'Bearer realm="heimdall"']);
      const wrong = await ask('/status', { headers: { authorization: 'Bearer other' } });
      assert.equal(wrong.status, 401);
      assert.match(wrong.headers.get('www-authenticate') ?? '', /invalid_token/);
      assert.equal((await ask('/status', { headers: { authorization: 'Bearer a long token' } })).status, 401);
      token = 'a-long-token';
      assert.equal((await ask('/status', { headers: { authorization: 'Bearer a-long-token' } })).status, 200);
    } finally {
      token = undefined;
    }
  });

  it('says when its address is taken', async () => {
    await assert.rejects(startAdmin(options, '127.0.0.1', admin.port), { code: 'EADDRINUSE' });
  });

  it('closes at the deadline whatever a client does not finish', async () => {
    const other = await startAdmin(options, '127.0.0.1', 0);
    const client = connect(other.port, '127.0.0.1').on('error', () => {});
    let closed = false;
    client.once('close', () => {
      closed = true;
    });
    client.write('POST /alerts/test HTTP/1.1\r\nHost: localhost\r\nContent-Le');
    await eventually('the connection is open', () => !client.connecting);
    await other.close(50);
    await eventually('the client is disconnected', () => closed);
  });
});
