import assert from 'node:assert/strict';
import { it } from 'node:test';
import { proxyFamilies } from '../../internal/proxy/metrics/proxy-families.ts';
import { expositionOf } from '../../pkg/metrics/exposition.ts';
import { readLoop } from '../../pkg/metrics/loop-reading.ts';
import { describeEngines, engineName } from '../support/engines.ts';
import { samplesOf } from '../support/exposition.ts';
import { closedPort, eventually, onHeads, RawBackend, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const ANSWERS: Readonly<Record<string, string>> = {
  '/ok': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  '/mine': 'HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n',
  '/yours': 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
};

function backend(): Promise<RawBackend> {
  return RawBackend.start((connection) => {
    onHeads(connection, (head) => connection.write(ANSWERS[head.split(' ')[1] ?? ''] ?? ''));
  });
}

async function metricsOf({ fleet, engine }: ProxySite): Promise<ReadonlyMap<string, number>> {
  const registry = { available: true, appliedRevision: 7 };
  const threads = await engine.readings();
  const spans = { exported: 3, failed: 2, dropped: 1 };
  const accessLog = { lines: 5, dropped: 0 };
  const known = { version: '1.2.3', engine: 'wire', registry, threads, loop: await readLoop(), spans, accessLog };
  const families = proxyFamilies({ ...known, pools: fleet.pools(), limits: fleet.limits });
  return samplesOf((await expositionOf(families)).body);
}

async function ask(site: ProxySite, paths: readonly string[]): Promise<void> {
  const { ended } = site.fleet.pool('web')!.endedRequests;
  for (const path of paths) await site.statusOf(requestText(`GET ${path}`));
  await eventually('all are over', () => site.fleet.pool('web')!.endedRequests.ended === ended + paths.length);
}

describeEngines('the metrics', () => {
  it('count requests, what came of them, and what they took, for service and instance', async () => {
    const only = await backend();
    await using site = await ProxySite.open([only.port]);
    site.own(only);
    await ask(site, ['/ok', '/ok', '/ok', '/mine', '/yours']);
    const metrics = await metricsOf(site);
    const of = (name: string, labels = '') => metrics.get(`heimdall_service_${name}{service="web"${labels}}`);
    assert.equal(of('requests_total'), 5);
    assert.deepEqual(
      ['2xx', '4xx', '5xx', 'other'].map((code) => of('responses_total', `,code="${code}"`)),
      [3, 1, 1, 0],
    );
    assert.equal(of('failed_requests_total'), 1);
    assert.deepEqual([of('attempts_total'), of('failed_attempts_total'), of('retries_total')], [5, 1, 0]);
    assert.deepEqual([of('in_flight_requests'), of('queue_length'), of('paused')], [0, 0, 0]);
    assert.equal(of('attempt_duration_seconds_count'), 5);
    assert.equal(of('attempt_duration_seconds_bucket', ',le="30"'), 5);
    assert.equal(of('request_duration_seconds_count'), 5);
    assert.equal(of('request_duration_seconds_bucket', ',le="30"'), 5);
    assert.deepEqual([of('received_bytes_total'), of('sent_bytes_total')], [0, 6]);
    assert.equal(of('upstreams', ',health="healthy"'), 1);
    const [id] = Array.from(site.fleet.pool('web')!.upstreams(), (upstream) => upstream.id);
    const one = `{service="web",instance_id="${id}"}`;
    assert.equal(metrics.get(`heimdall_instance_attempts_total${one}`), 5);
    assert.equal(metrics.get(`heimdall_instance_up${one}`), 1);
    assert.equal(metrics.get(`heimdall_instance_attempt_duration_seconds_count${one}`), 5);
    assert.equal(metrics.get('heimdall_registry_applied_revision'), 7);
    assert.ok((metrics.get('nodejs_eventloop_lag_seconds') ?? -1) >= 0);
    assert.ok((metrics.get('nodejs_eventloop_busy_seconds_total') ?? 0) > 0);
  });

  it('count the connections to instances: kept, used again, and tunnels', async () => {
    const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const only = await RawBackend.start((connection) => {
      onHeads(connection, (head) => connection.write(head.startsWith('GET /ws') ? switching : (ANSWERS['/ok'] ?? '')));
    });
    await using site = await ProxySite.open([only.port]);
    site.own(only);
    const names = [
      'connection_attempts_total',
      'connection_reuses_total',
      'connections',
      'idle_connections',
      'tunnels',
    ];
    const [id] = Array.from(site.fleet.pool('web')!.upstreams(), (upstream) => upstream.id);
    const becomes = async (...figures: number[]) => {
      const told = async (labels: string) => {
        const metrics = await metricsOf(site);
        return names.map((name) => metrics.get(labels.replace('*', name)));
      };
      await eventually(figures.join(' '), async () => {
        const service = await told('heimdall_service_*{service="web"}');
        const instance = await told(`heimdall_instance_*{service="web",instance_id="${id}"}`);
        return service.join(' ') === figures.join(' ') && instance.join(' ') === figures.join(' ');
      });
    };
    await becomes(0, 0, 0, 0, 0);
    await ask(site, ['/ok', '/ok', '/ok']);
    await becomes(1, 2, 1, 1, 0);
    const fields = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const client = await site.client(requestText('GET /ws', fields));
    await client.receives('\r\n\r\n');
    const isWire = engineName() === 'wire'; // the other one opens a new connection for each tunnel
    await (isWire ? becomes(1, 3, 1, 0, 1) : becomes(2, 2, 2, 1, 1));
    client.close();
    await (isWire ? becomes(1, 3, 0, 0, 0) : becomes(2, 2, 1, 1, 0));
    await eventually('the instance is idle', () => [...site.fleet.pool('web')!.upstreams()][0]?.inFlight === 0);
    site.use([]);
    const metrics = await metricsOf(site);
    const left = names.map((name) => metrics.get(`heimdall_service_${name}{service="web"}`));
    assert.deepEqual(left, [...(isWire ? [1, 3] : [2, 2]), 0, 0, 0]);
  });

  it('count the bodies that clients send and get', async () => {
    const only = await RawBackend.start((connection) => {
      onHeads(connection, () => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole'));
    });
    await using site = await ProxySite.open([only.port]);
    site.own(only);
    await site.statusOf(requestText('POST /ok', ['Content-Length: 7'], 'seven!!'));
    await eventually('it is over', () => site.fleet.pool('web')!.endedRequests.ended === 1);
    const metrics = await metricsOf(site);
    const of = (name: string) => metrics.get(`heimdall_service_${name}{service="web"}`);
    assert.deepEqual([of('received_bytes_total'), of('sent_bytes_total')], [7, 5]);
  });

  it('of a service go on when its instances leave, those of the instances end', async () => {
    const [first, second] = await Promise.all([backend(), backend()]);
    await using site = await ProxySite.open([first.port]);
    site.own(first);
    site.own(second);
    await ask(site, ['/ok', '/mine', '/ok']);
    await eventually('the first is idle', () => [...site.fleet.pool('web')!.upstreams()][0]?.inFlight === 0);
    site.use([second.port]);
    await ask(site, ['/ok']);
    const metrics = await metricsOf(site);
    const of = (name: string) => metrics.get(`heimdall_service_${name}{service="web"}`);
    assert.deepEqual([of('requests_total'), of('attempts_total'), of('failed_attempts_total')], [4, 4, 1]);
    assert.equal(of('attempt_duration_seconds_count'), 4);
    const instances = [...metrics].filter(([name]) => name.startsWith('heimdall_instance_attempts_total'));
    assert.deepEqual(
      instances.map(([, value]) => value),
      [1],
    );
  });

  it('tell repetitions from requests', async () => {
    const good = await backend();
    await using site = await ProxySite.open([await closedPort(), good.port]);
    site.own(good);
    await ask(site, ['/ok', '/ok']);
    const metrics = await metricsOf(site);
    const of = (name: string) => metrics.get(`heimdall_service_${name}_total{service="web"}`);
    assert.equal(of('requests'), 2);
    assert.ok((of('retries') ?? 0) >= 1);
    assert.equal(of('attempts'), 2 + (of('retries') ?? 0));
  });

  it('tell what a limit has refused', async () => {
    const only = await backend();
    const routes = [{ path: '/', rateLimit: { requests: 1, per: '1m' } }];
    await using site = await ProxySite.open([only.port], { service: { routes } });
    site.own(only);
    for (let i = 0; i < 3; i += 1) await site.statusOf(requestText('GET /ok'));
    const route = 'heimdall_route_rate_limited_requests_total{service="web",host="*",path="/"';
    const metrics = await metricsOf(site);
    assert.deepEqual([metrics.get(`${route},result="granted"}`), metrics.get(`${route},result="refused"}`)], [1, 2]);
  });

  it('count the connections of clients and what they carry, open and closed', async () => {
    const only = await backend();
    await using site = await ProxySite.open([only.port]);
    site.own(only);
    const thread = async (name: string) => (await metricsOf(site)).get(`heimdall_thread_${name}{thread="0"}`) ?? NaN;
    const request = requestText('GET /ok', ['Connection: keep-alive']);
    const clients = [await site.client(), await site.client()];
    for (const client of clients) {
      client.write(request);
      await eventually('the answer', () => client.received.endsWith('\r\n\r\nok'));
    }
    const answered = clients.reduce((sum, { received }) => sum + received.length, 0);
    const carried = async () => Promise.all([thread('received_bytes_total'), thread('sent_bytes_total')]);
    assert.deepEqual(await carried(), [2 * request.length, answered]);
    assert.deepEqual([await thread('connections'), await thread('accepted_connections_total')], [2, 2]);
    clients[0]?.close();
    await eventually('one is closed', async () => (await thread('connections')) === 1);
    assert.deepEqual(await carried(), [2 * request.length, answered]);
    assert.equal(await thread('accepted_connections_total'), 2);
    assert.ok((await thread('event_loop_delay_seconds')) >= 0);
    assert.ok((await thread('busy_seconds_total')) > 0);
  });
});
