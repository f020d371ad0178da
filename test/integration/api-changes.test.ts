import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import { type ApiServer, startApiServer } from '../../internal/api/http-server.ts';
import type { ServerManager } from '../../internal/server/server-manager.ts';
import type { EventView } from '../../internal/model/event-view.ts';
import { TargetGuard } from '../../pkg/alerts/target-guard.ts';
import { heldToDescription } from '../support/described-answers.ts';
import { Site, service, until } from '../support/server-fixture.ts';

let site: Site;
let manager: ServerManager;
let server: ApiServer;
const reloads: string[] = [];

const api = () => request(`http://127.0.0.1:${server.port}`);
async function audits(query = ''): Promise<EventView[]> {
  return (await api().get(`/events?type=audit${query}`).expect(200)).body;
}

before(async () => {
  site = await Site.open();
  const declared = { name: 'api', command: undefined, instances: undefined, servers: ['192.0.2.7:8080'] };
  manager = await site.started([
    service({ env: { SECRET: 'of the service' }, rollout: { minHealthy: '50ms' } }),
    service(declared),
  ]);
  const app = heldToDescription({
    manager,
    alerts: {
      test: async () => [],
      rules: () => [],
      book: site.registry.alertBook,
      guard: () => new TargetGuard([]),
      channelsChanged: async () => {},
    },
    reload: async () => {
      reloads.push((await audits())[0]?.message ?? '');
      return { pid: 1, successor: 2 };
    },
    token: () => undefined,
    allowedHosts: () => [],
    log: site.log,
    version: '1.2.3',
    dashboardFolder: join(site.dir, 'no-dashboard'),
  });
  server = await startApiServer({ app, host: '127.0.0.1', port: 0, log: site.log });
});

after(async () => {
  await server?.close();
  await site?.[Symbol.asyncDispose]();
});

describe('a change through the API', () => {
  it('is audited: who, from where, what it was, before and after', async () => {
    const ann = { 'Heimdall-Actor': 'Jürgen', 'User-Agent': 'curl/8', 'X-Request-Id': 'r-1' };
    await api().patch('/services/web').set(ann).send({ algorithm: 'least-time', weight: 2 }).expect(200);
    await api().post('/services/web/pause').set('Heimdall-Actor', 'ann').expect(200);
    await api().post('/services/web/resume').expect(200);
    const [resumed, paused, changed, ...none] = await audits();
    assert.deepEqual(none, []);
    assert.equal(
      changed?.message,
      'Jürgen changed web: algorithm from round-robin to least-time, weight from 1 to 2 (from 127.0.0.1)',
    );
    assert.deepEqual([changed.service, changed.instanceId], ['web', null]);
    assert.deepEqual(changed.data, {
      actor: 'Jürgen',
      address: '127.0.0.1',
      method: 'PATCH',
      path: '/services/web',
      status: 200,
      before: { algorithm: 'round-robin', weight: 1 },
      after: { algorithm: 'least-time', weight: 2 },
      userAgent: 'curl/8',
      requestId: 'r-1',
    });
    assert.equal(paused?.message, 'ann paused web (from 127.0.0.1)');
    assert.equal(resumed?.message, 'anonymous resumed web (from 127.0.0.1)');
    assert.deepEqual(
      (await audits('&actor=ann')).map(({ id }) => id),
      [paused.id],
    );
  });

  it('tells of variables their names alone, and of instances which they are', async () => {
    const added = await api()
      .post('/servers/add')
      .send({ env: { SECRET: 'hush' } })
      .expect(201);
    const { id, port } = added.body;
    await api().patch(`/servers/${port}`).send({ weight: 5 }).expect(200);
    const body = { version: 'v2', env: { SECRET: 'hush hush' }, by: 'bob' };
    await api().post('/services/web/deploy?wait=true').send(body).expect(200);
    const [fresh] = (await api().get('/servers/list?service=web').expect(200)).body;
    const restarted = await api().post(`/servers/${fresh.port}/restart`).expect(200);
    await api().delete(`/servers/remove?port=${restarted.body.port}&force=true`).expect(200);
    const found = (await audits('&limit=5')).toReversed();
    assert.deepEqual(
      found.map(({ message }) => message.replace(' (from 127.0.0.1)', '')),
      [
        `anonymous added ${id}`,
        `anonymous changed ${id}: weight from 2 to 5`,
        'bob began deployment 1 of web: v2',
        `anonymous restarted ${fresh.id} as ${restarted.body.id}`,
        `anonymous removed ${restarted.body.id} without a drain`,
      ],
    );
    assert.deepEqual(
      found.map(({ instanceId }) => instanceId),
      [id, id, null, fresh.id, restarted.body.id],
    );
    assert.deepEqual(found[2]?.data['after'], {
      release: { deployment: 1, version: 'v2', variant: null, env: ['SECRET'] },
    });
    assert.doesNotMatch(JSON.stringify(found), /hush/);
  });

  it('is audited with its fault when it failed on the way, and not at all when it was refused', async () => {
    const before = (await audits()).length;
    await api().post('/servers/add').send({ service: 'nobody' }).expect(404);
    await api().delete('/servers/remove?port=1').expect(404);
    await api().patch('/services/web').send({ weight: 0 }).expect(400);
    await api().post('/services/web/pause').set('Heimdall-Actor', 'a'.repeat(65)).expect(400);
    assert.equal((await audits()).length, before);
    await api()
      .post('/servers/add')
      .send({ env: { FAIL: 'no database' } })
      .expect(502);
    const [failed] = await audits();
    assert.match(failed?.message ?? '', /^anonymous asked for POST \/servers\/add, which failed: web-\S+ exited with/);
    assert.equal(failed?.data['status'], 502);
  });

  it('is audited when its client does not stay for the answer, and before a reload', async () => {
    const leaving = new AbortController();
    const body = JSON.stringify({ instances: 1 });
    const url = `http://127.0.0.1:${server.port}/services/web/deploy?wait=true`;
    const headers = { 'Content-Type': 'application/json', 'Heimdall-Actor': 'leaver', 'Idempotency-Key': 'left' };
    await api().post('/services/web/scale').send(body).type('json').expect(200);
    await manager.settled();
    const left = fetch(url, { method: 'POST', headers, body: '{"version": "v3"}', signal: leaving.signal });
    await until('it to begin', async () => (await site.eventTypes()).filter((t) => t === 'deployment.started')[1]);
    const [begun, ...others] = await until('the audit', async () => nonEmpty(await audits('&actor=leaver')));
    assert.deepEqual([begun?.message, others], ['leaver began deployment 2 of web: v3 (from 127.0.0.1)', []]);
    leaving.abort();
    await assert.rejects(left);
    await until('the end', async () => (await site.eventTypes()).filter((t) => t === 'deployment.succeeded')[1]);
    assert.equal((await audits('&actor=leaver')).length, 1);
    const again = await until('the answer to be kept', async () => {
      const answer = await api().post('/services/web/deploy?wait=true').set(headers).send('{"version": "v3"}');
      return answer.status === 409 ? undefined : answer; // it is stored a moment after the end
    });
    assert.deepEqual([again.status, again.get('Idempotent-Replayed')], [200, 'true']);
    await api().post('/reload').set('Heimdall-Actor', 'ann').expect(200);
    assert.deepEqual(reloads, ['ann asked for a reload of the manager (from 127.0.0.1)']);
    assert.equal((await audits('&limit=1'))[0]?.data['path'], '/reload');
  });
});

describe('a change on a state that somebody has seen', () => {
  it('is made by exactly one of two that come at the same time, and not after somebody else has changed it', async () => {
    const seen = (await api().get('/services/web').expect(200)).get('ETag') ?? '';
    assert.match(seen, /^"[\w-]{22}"$/);
    const patch = (weight: number) => api().patch('/services/web').set('If-Match', seen).send({ weight });
    const answers = await Promise.all([patch(3), patch(4)]);
    const [won, lost] = answers.toSorted((a, b) => a.status - b.status);
    assert.deepEqual([won?.status, lost?.status], [200, 412]);
    assert.equal(lost?.body.current.weight, won?.body.weight);
    assert.equal(lost?.get('ETag'), won?.get('ETag'));
    assert.equal((await api().get('/services/web').expect(200)).get('ETag'), won?.get('ETag'));
    const scale = (tag: string) => api().post('/services/web/scale').set('If-Match', tag).send({ instances: 1 });
    await scale(seen).expect(412);
    await scale(`W/${won?.get('ETag')}`).expect(412);
    await scale(`"other", ${won?.get('ETag')}`).expect(200);
    await scale('*').expect(200);
    await scale('unquoted').expect(400);
    for (const verb of ['pause', 'deploy', 'restart', 'rollback']) {
      await api().post(`/services/web/${verb}`).set('If-Match', seen).expect(412);
    }
    await api().post('/servers/add').set('If-Match', '*').expect(400); // what is new has no state
  });

  it('is made on an instance, too; whoever has the tag is told that nothing was changed', async () => {
    const [instance] = (await api().get('/servers/list?service=web').expect(200)).body;
    const path = `/servers/${instance.id}`;
    const shown = await api().get(path).expect(200);
    const tag = shown.get('ETag') ?? '';
    assert.equal((await api().get(`/servers/get?port=${instance.port}`).expect(200)).get('ETag'), tag);
    const unchanged = await api().get(path).set('If-None-Match', `"x", W/${tag}`).expect(304);
    assert.deepEqual([unchanged.text, unchanged.get('ETag')], ['', tag]);
    const weighed = await api().patch(path).set('If-Match', tag).send({ weight: 8 }).expect(200);
    assert.notEqual(weighed.get('ETag'), tag);
    await api().get(path).set('If-None-Match', tag).expect(200);
    const late = await api().patch(path).set('If-Match', tag).send({ weight: 9 }).expect(412);
    assert.deepEqual([late.body.current.weight, late.get('ETag')], [8, weighed.get('ETag')]);
    await api().post(`${path}/restart`).set('If-Match', tag).expect(412);
    await api().delete(`/servers/remove?port=${instance.port}`).set('If-Match', tag).expect(412);
    assert.equal((await api().get(path).expect(200)).body.status, 'running');
    const web = (await api().get('/services/web').expect(200)).get('ETag') ?? '';
    await api().get('/services/web').set('If-None-Match', web).expect(304);
  });
});

function nonEmpty<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}
