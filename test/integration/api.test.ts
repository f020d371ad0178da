import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import { heldToDescription } from '../support/described-answers.ts';
import { createClient } from '../../internal/client/client.ts';
import { type ApiServer, startApiServer } from '../../internal/api/http-server.ts';
import { ServiceSchema } from '../../internal/model/service.ts';
import type { RegistryWriter } from '../../internal/registry/registry.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { ServerManager } from '../../internal/server/server-manager.ts';
import { TargetGuard } from '../../pkg/alerts/target-guard.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { samplesOf } from '../support/exposition.ts';
import { until } from '../support/server-fixture.ts';

const BACKEND = `
  const server = require('node:http').createServer((request, response) => response.end(process.env.GREETING));
  server.listen(process.env.PORT, '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
`;
const CHATTY = `
  console.log('one\\ntwo\\ndrei \u{1F600}');
  console.error('oh no');
  const server = require('node:http').createServer((request, response) => {
    if (request.url !== '/health') console.log('heard ' + request.url);
    response.end();
  });
  server.listen(process.env.PORT, '127.0.0.1');
`;
const SERVICES = [
  {
    name: 'web',
    command: [process.execPath, '-e', BACKEND],
    env: { GREETING: 'hello' },
    readiness: { interval: '50ms' },
  },
  { name: 'chatty', command: [process.execPath, '-e', CHATTY], readiness: { interval: '50ms' } },
  { name: 'broken', command: [process.execPath, '-e', "console.error('no database'); process.exit(3)"] },
  { name: 'remote', servers: ['192.0.2.7:8080'] },
].map((service) => ServiceSchema.parse({ instances: 0, ...service }));

const log = createLogger({ name: 'test', level: 'silent', pretty: false });
let dataDir: string;
let registry: RegistryWriter;
let manager: ServerManager;
let server: ApiServer;

const api = () => request(`http://127.0.0.1:${server.port}`);

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'heimdall-api-'));
  registry = await openManagerRegistry({ path: join(dataDir, 'registry.db') });
  manager = new ServerManager({
    services: SERVICES,
    ports: { from: 23_400, to: 23_499 },
    registry,
    dataDir,
    log,
    alerts: { raise: () => {}, resolve: () => {} },
    baseEnv: {},
    version: '1.2.3',
  });
  await manager.start();
  const app = heldToDescription({
    manager,
    alerts: {
      test: async () => [],
      rules: () => [],
      book: registry.alertBook,
      guard: () => new TargetGuard([]),
      channelsChanged: async () => {},
    },
    reload: async () => ({ pid: 1, successor: 2 }),
    token: () => undefined,
    allowedHosts: () => [],
    dashboardFolder: join(dataDir, 'no-dashboard'),
    log,
    version: '1.2.3',
  });
  server = await startApiServer({ app, host: '127.0.0.1', port: 0, log });
});

after(async () => {
  await server?.close();
  await manager?.stop({ keep: false });
  await registry?.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('the API over the real manager and registry', () => {
  it('adds an instance that answers, shows it, and removes it', async () => {
    const added = await api()
      .post('/servers/add')
      .send({ weight: 3, version: 'v2', env: { GREETING: 'hi' } })
      .expect(201);
    const { port, url, pid } = added.body;
    assert.deepEqual([added.body.service, added.body.status, added.body.weight], ['web', 'running', 3]);
    assert.equal(await (await fetch(url)).text(), 'hi');

    const shown = await api()
      .get(added.get('Location') ?? '')
      .expect(200);
    assert.deepEqual([shown.body.pid, shown.body.version], [pid, 'v2']);
    const listed = await api().get('/servers/list?service=web&status=running').expect(200);
    assert.deepEqual(
      listed.body.map((view: { port: number }) => view.port),
      [port],
    );

    const removed = await api().delete(`/servers/remove?port=${port}`).expect(200);
    assert.deepEqual([removed.body.id, removed.body.status], [added.body.id, 'stopped']);
    await assert.rejects(fetch(url));
    await api().get(`/servers/get?port=${port}`).expect(404);
  });

  it('gives concurrent adds distinct ports', async () => {
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => api().post('/servers/add?wait=false').expect(202)),
    );
    const ports = new Set(answers.map(({ body }) => body.port));
    assert.equal(ports.size, 4);
    await Promise.all([...ports].map((port) => api().delete(`/servers/remove?port=${port}&force=true`).expect(200)));
    assert.deepEqual((await api().get('/servers/list?service=web').expect(200)).body, []);
  });

  it('shows the last words of a command that exits, and keeps nothing of it', async () => {
    const response = await api().post('/servers/add').send({ service: 'broken' }).expect(502);
    assert.equal(response.body.code, 'INSTANCE_EXITED');
    assert.ok(response.body.logTail.includes('no database'), JSON.stringify(response.body));
    assert.deepEqual((await api().get('/servers/list?service=broken').expect(200)).body, []);
  });

  it('says what is wrong with a request that only the manager can judge', async () => {
    const unknown = await api().post('/servers/add').send({ service: 'nope' }).expect(404);
    assert.equal(unknown.body.code, 'SERVICE_NOT_FOUND');
    const declared = await api().delete('/servers/remove?port=8080').expect(409);
    assert.equal(declared.body.code, 'NOT_SPAWNED');
    await api()
      .post('/servers/add')
      .send({ env: { NODE_OPTIONS: '--inspect' } })
      .expect(400);
  });

  it('shows what an instance has written, and what it writes from then on', async () => {
    const { body: added } = await api().post('/servers/add').send({ service: 'chatty' }).expect(201);
    const path = `/servers/${added.id}/logs`;
    const { body: lines } = await api().get(`${path}?lines=2`).expect(200);
    assert.deepEqual(lines, [
      { stream: 'out', text: 'two' },
      { stream: 'out', text: 'drei \u{1F600}' },
      { stream: 'err', text: 'oh no' },
    ]);
    const { text } = await api().get(`/servers/${added.port}/logs?stream=out`).set('Accept', 'text/plain').expect(200);
    assert.equal(text, 'one\ntwo\ndrei \u{1F600}\n');

    const followed = await fetch(`http://127.0.0.1:${server.port}${path}?lines=1&follow=1&stream=out`);
    assert.equal(followed.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    const whole = followed.text();
    await fetch(`${added.url}/said?now`);
    await until('it is written', async () => (await api().get(`${path}?lines=1`)).body[0].text === 'heard /said?now');
    await api().delete(`/servers/remove?port=${added.port}`).expect(200);
    assert.equal(
      await whole,
      'event: out\ndata: drei \u{1F600}\n\nevent: out\ndata: heard /said?now\n\n' +
        'event: end\ndata: the instance is gone, or the manager stops\n\n',
    );
  });

  it('says whose output it does not have', async () => {
    await api().get('/servers/nobody/logs').expect(404);
    assert.equal((await api().get('/servers/remote@192.0.2.7:8080/logs').expect(409)).body.code, 'NOT_SPAWNED');
    await api().get('/servers/nobody/logs?lines=-1').expect(400);
  });

  it('tells what went on', async () => {
    const { body: status } = await api().get('/status').expect(200);
    assert.equal(status.version, '1.2.3');
    const { body: events } = await api().get('/events?limit=1000').expect(200);
    assert.ok(events.some((event: { type: string }) => event.type === 'manager.started'));
  });
});

describe('GET /metrics over the real manager', () => {
  it('counts the instance that is drained', async () => {
    const { body } = await api().post('/servers/add').send({ service: 'web' }).expect(201);
    const before = samplesOf((await api().get('/metrics').expect(200)).text);
    assert.equal(before.get('heimdall_service_instances{service="web",state="running"}'), 1);
    assert.equal(before.get('heimdall_service_desired_instances{service="web"}'), 1);
    assert.equal(before.get('heimdall_service_declared_instances{service="remote"}'), 1);
    await api().delete(`/servers/remove?port=${body.port}`).expect(200);
    const after = samplesOf((await api().get('/metrics').expect(200)).text);
    const drains = 'heimdall_service_drains_total{service="web"}';
    assert.equal((after.get(drains) ?? 0) - (before.get(drains) ?? 0), 1);
    assert.equal(after.get('heimdall_service_instances{service="web",state="running"}'), 0);
    assert.ok((after.get('heimdall_registry_revision') ?? 0) > (before.get('heimdall_registry_revision') ?? 0));
  });
});

describe('the client over the real manager', () => {
  it('streams what there is to see, as it is described', async () => {
    const { servers, live, liveState } = createClient({ baseUrl: `http://127.0.0.1:${server.port}` });
    const [added] = await servers.add({ service: 'web' });
    const state = await liveState();
    assert.deepEqual(
      state.instances.flatMap(({ id, service, traffic }) => (service === 'web' ? [[id, traffic.inFlight]] : [])),
      [[added?.id, 0]],
    );
    const told = new Set<string>();
    for await (const { event } of live()) {
      told.add(event);
      if (event === 'tick') break;
    }
    assert.deepEqual([...told], ['state', 'history', 'tick']);
    await servers.remove(added?.port ?? 0, { force: true });
  });
});
