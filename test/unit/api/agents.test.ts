import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { signatureOf } from '../../../pkg/http-guard/signature.ts';
import { api, FakeManager } from './fake-manager.ts';

const TOKEN = 'sesame-open-sesame';
const APP = { service: 'web', port: 8_080 };
const BODIES = {
  '/servers/register': { agent: 'host-b', node: 'host-b', apps: [APP] },
  '/servers/heartbeat': { agent: 'host-b', instances: [{ id: 'web-9000', state: 'up' }] },
  '/servers/deregister': { agent: 'host-b', instances: ['web-9000'] },
} as const;

function signed(path: string, body: object, token = TOKEN, time = Date.now()): string {
  return signatureOf({ method: 'POST', target: path, body: JSON.stringify(body) }, time, token);
}

describe('POST /servers/register', () => {
  it('announces apps, from the address that the call comes from', async () => {
    const manager = new FakeManager();
    const body = BODIES['/servers/register'];
    const response = await request(api({ manager })).post('/servers/register').send(body).expect(200);
    const app = { ...APP, metadata: {} };
    assert.deepEqual(manager.calls, [['announced.register', { ...body, apps: [app] }, '127.0.0.1']]);
    assert.equal(response.body.instances[0].agent.id, 'host-b');
    assert.deepEqual([response.body.ttlMs, response.body.intervalMs], [8_000, 2_000]);
    assert.match(manager.audits[0]?.message ?? '', /^anonymous announced web-9000 for agent host-b/);
  });

  it('takes the address of a proxy for that of no app', async () => {
    const manager = new FakeManager();
    for (const field of ['X-Forwarded-For', 'Forwarded', 'Via']) {
      await request(api({ manager }))
        .post('/servers/register')
        .set(field, '10.0.0.7')
        .send(BODIES['/servers/register']);
    }
    assert.deepEqual(
      manager.calls.map(([, , address]) => address),
      [null, null, null],
    );
  });

  it('refuses what cannot be announced, and names it', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    const faults = async (body: object) => (await request(app).post('/servers/register').send(body).expect(400)).body;
    const body = BODIES['/servers/register'];
    for (const [path, wrong] of [
      ['body.agent', { ...body, agent: 'a\nb' }],
      ['body.node', { ...body, node: 'A b' }],
      ['body.apps', { ...body, apps: [] }],
      ['body.apps.0.port', { ...body, apps: [{ ...APP, port: 0 }] }],
      ['body.apps.0.host', { ...body, apps: [{ ...APP, host: '169.254.169.254' }] }],
      ['body.apps.0.host', { ...body, apps: [{ ...APP, host: 'a b\r\nX: y' }] }],
      ['body.apps.0.weight', { ...body, apps: [{ ...APP, weight: 0 }] }],
      ['body.apps.0.metadata.a b', { ...body, apps: [{ ...APP, metadata: { 'a b': 'c' } }] }],
      ['body.apps.0.name', { ...body, apps: [{ ...APP, name: 'x' }] }],
    ] as const) {
      const { errors } = await faults(wrong);
      assert.equal(errors[0].path, path, JSON.stringify(errors));
    }
    assert.deepEqual(manager.calls, []);
  });
});

describe('POST /servers/heartbeat', () => {
  it('hands signs of life on, and is no event', async () => {
    const manager = new FakeManager();
    const instances = [{ id: 'web-9000', state: 'down', cause: 'connect ECONNREFUSED' }];
    const body = { agent: 'host-b', instances };
    const response = await request(api({ manager })).post('/servers/heartbeat').send(body).expect(200);
    assert.deepEqual(response.body, { unknown: [], removed: [], ttlMs: 8_000, intervalMs: 2_000 });
    assert.deepEqual(manager.calls, [['announced.heartbeat', body]]);
    assert.deepEqual(manager.audits, []);
  });
});

describe('POST /servers/deregister', () => {
  it('takes instances out, with a drain or without', async () => {
    const manager = new FakeManager();
    const body = BODIES['/servers/deregister'];
    const response = await request(api({ manager })).post('/servers/deregister').send(body).expect(200);
    assert.deepEqual(response.body, { gone: ['web-9000'], unknown: [] });
    await request(api({ manager })).post('/servers/deregister?force=true').send(body).expect(200);
    assert.deepEqual(manager.calls, [
      ['announced.deregister', body, { force: false }],
      ['announced.deregister', body, { force: true }],
    ]);
    assert.equal(manager.audits.length, 2);
  });
});

describe('an agent of a manager with a token', () => {
  for (const [path, body] of Object.entries(BODIES)) {
    it(`sends it to ${path}, or a signature that is made with it`, async () => {
      const manager = new FakeManager();
      const app = api({ manager, token: () => TOKEN });
      const post = () => request(app).post(path).send(body);
      await post().expect(401);
      await post().set('Authorization', 'Bearer guessed').expect(401);
      await post()
        .set('Heimdall-Signature', signed(path, body, 'guessed'))
        .expect(401);
      await post().set('Heimdall-Signature', '').set('Authorization', 'Bearer guessed').expect(401);
      assert.deepEqual(manager.calls, []);
      await post().set('Authorization', `Bearer ${TOKEN}`).expect(200);
      await post().set('Heimdall-Signature', signed(path, body)).expect(200);
      assert.equal(manager.calls.length, 2);
    });
  }

  it('is told of clocks that are apart, and of a request that has come before', async () => {
    const path = '/servers/register';
    const body = BODIES[path];
    const app = api({ token: () => TOKEN });
    const post = (signature: string) => request(app).post(path).send(body).set('Heimdall-Signature', signature);
    const old = await post(signed(path, body, TOKEN, Date.now() - 120_000)).expect(401);
    assert.match(old.body.detail, /12\d s behind the clock of this manager/);
    assert.match(String(old.get('WWW-Authenticate')), /^Bearer/);
    const signature = signed(path, body);
    await post(signature).expect(200);
    assert.match((await post(signature).expect(401)).body.detail, /has come before/);
  });

  // Who changes a signed request on its way cannot sign it, but may add fields: they are nobody's word.
  it('is not taken for another one by fields that are not signed', async () => {
    const manager = new FakeManager();
    const path = '/servers/register';
    const fields = {
      'Heimdall-Signature': signed(path, BODIES[path]),
      'Heimdall-Carried-By': 'b',
      'Heimdall-Carried-For': '10.9.9.9',
    };
    await request(api({ manager, token: () => TOKEN }))
      .post(path)
      .set(fields)
      .send(BODIES[path])
      .expect(200);
    assert.match(manager.audits[0]?.message ?? '', /from 127\.0\.0\.1\)/);
  });

  // A page that the browser of somebody inside has open calls the manager, or a name is re-pointed to it: no signature makes that right.
  it('is let in under an allowed name alone, and from no page', async () => {
    const path = '/servers/heartbeat';
    const body = BODIES[path];
    const app = api({ token: () => TOKEN });
    const post = () => request(app).post(path).send(body).set('Heimdall-Signature', signed(path, body));
    await post().set('Host', 'evil.example').expect(403);
    await post().set('Origin', 'https://evil.example').expect(403);
  });

  it('opens nothing else with a signature', async () => {
    const app = api({ token: () => TOKEN });
    for (const [method, path] of [
      ['post', '/servers/add'],
      ['post', '/servers/register/'],
      ['get', '/servers/list'],
      ['delete', '/servers/remove?port=9000'],
    ] as const) {
      const target = signatureOf({ method: method.toUpperCase(), target: path, body: '' }, Date.now(), TOKEN);
      const response = await request(app)[method](path).set('Heimdall-Signature', target);
      assert.ok([400, 401].includes(response.status), `${method} ${path}: ${response.status}`);
      if (path !== '/servers/register/') assert.equal(response.status, 401);
    }
  });
});
