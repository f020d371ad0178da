import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { HeimdallError } from '../../../internal/model/errors.ts';
import { api, FakeManager } from './fake-manager.ts';

describe('services', () => {
  it('are listed, and shown with their instances and latest deployments', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    const list = await request(app).get('/services').expect(200);
    assert.equal(list.body[0].name, 'web');
    const one = await request(app).get('/services/web').expect(200);
    assert.equal(one.body.deployments[0].createdAt, '2026-01-01T00:00:00.000Z');
    assert.deepEqual(manager.calls, [['services.list'], ['services.get', 'web']]);
  });

  it('are changed by what the body says, with null for what is to be as configured', async () => {
    const manager = new FakeManager();
    const patch = { instances: 4, algorithm: 'least-time', maxConnections: null, weight: 3 };
    await request(api({ manager })).patch('/services/web').send(patch).expect(200);
    assert.deepEqual(manager.calls, [['services.patch', 'web', patch]]);
  });

  it('are scaled, paused and resumed', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    await request(app).post('/services/web/scale').send({ instances: 0 }).expect(200);
    await request(app).post('/services/web/pause').expect(200);
    await request(app).post('/services/web/resume').expect(200);
    assert.deepEqual(manager.calls, [
      ['services.patch', 'web', { instances: 0 }],
      ['services.pause', 'web'],
      ['services.resume', 'web'],
    ]);
  });

  for (const [path, body, faults] of [
    ['/services/web', { instances: -1 }, 'body.instances'],
    ['/services/web', { algorithm: 'fastest' }, 'body.algorithm'],
    ['/services/web', { instance: 1 }, 'did you mean "instances"?'],
  ] as const) {
    it(`are not changed by ${JSON.stringify(body)}`, async () => {
      const manager = new FakeManager();
      const answer = await request(api({ manager })).patch(path).send(body).expect(400);
      assert.ok(answer.body.detail.includes(faults), answer.body.detail);
      assert.deepEqual(manager.calls, []);
    });
  }

  it('need a number to be scaled', async () => {
    await request(api()).post('/services/web/scale').send({}).expect(400);
  });
});

describe('a deployment', () => {
  it('is begun by deploy, restart and rollback, and answered at once with where to look', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    const body = { version: 'v2', command: 'blue', env: { A: '1' }, by: 'me' };
    const answer = await request(app).post('/services/web/deploy').send(body).expect(202);
    assert.equal(answer.headers['location'], '/deployments/3');
    assert.equal(answer.body.version, 'v2');
    await request(app).post('/services/web/restart?queue=true').expect(202);
    await request(app).post('/services/web/rollback').send({ to: 2 }).expect(202);
    const options = { by: 'api', queue: false, wait: false, alone: false };
    assert.deepEqual(manager.calls, [
      ['services.deploy', 'web', body, { ...options, by: 'me' }],
      ['services.restart', 'web', { ...options, queue: true }],
      ['services.rollback', 'web', 2, options],
    ]);
  });

  it('is answered when it is over, if that is asked for', async () => {
    const manager = new FakeManager();
    await request(api({ manager })).post('/services/web/deploy?wait=true').expect(200);
    assert.deepEqual(manager.calls, [
      ['services.deploy', 'web', { by: 'api' }, { by: 'api', queue: false, wait: true, alone: false }],
    ]);
  });

  it('cannot run what the configuration does not declare, however it is asked for', async () => {
    for (const body of [{ command: ['rm'] }, { cwd: '/tmp' }, { version: '' }, { env: { 'A B': '1' } }]) {
      await request(api()).post('/services/web/deploy').send(body).expect(400);
    }
  });

  it('is shown with its steps; all of them are listed', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    const one = await request(app).get('/deployments/3').expect(200);
    assert.deepEqual(one.body.steps, [
      { at: '2026-01-02T00:00:00.000Z', message: 'started', instance: 'web-1' },
      { at: '2026-01-03T00:00:00.000Z', message: 'done', logTail: ['a line'] },
    ]);
    assert.deepEqual(one.body.release, { deployment: 3, version: 'v2', variant: null, env: ['API_KEY'] });
    const list = await request(app).get('/deployments?service=web&limit=5').expect(200);
    assert.equal(list.body[0].id, 3);
    assert.deepEqual(manager.calls, [
      ['services.deployment', 3, undefined],
      ['services.deployments', { service: 'web', limit: 5 }],
    ]);
    await request(app).get('/deployments/x').expect(400);
  });

  it('is followed as server-sent events that end with it', async () => {
    const answer = await request(api()).get('/deployments/3?follow=true').expect(200);
    assert.match(answer.headers['content-type'] ?? '', /^text\/event-stream/);
    assert.doesNotMatch(answer.text, /secret/);
    const events = answer.text.split('\n\n').map((event) => event.split('\n')[0]);
    assert.deepEqual(events, ['event: step', 'event: step', 'event: end', '']);
    assert.ok(answer.text.includes('"state":"succeeded"'));
  });

  it('is followed to its end although the registry is away for a moment', async () => {
    const { services } = new FakeManager();
    let asked = 0;
    const deployment: typeof services.deployment = async (id) => {
      asked += 1;
      if (asked === 2) throw new HeimdallError('REGISTRY_UNAVAILABLE', 'locked');
      return services.deployment(id);
    };
    const manager = new FakeManager({ services: { ...services, deployment } });
    const answer = await request(api({ manager })).get('/deployments/3?follow=true').expect(200);
    assert.match(answer.text, /event: end/);
  });
});
