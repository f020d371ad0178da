import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { HeimdallError } from '../../../internal/model/errors.ts';
import { api, FakeManager, instance } from './fake-manager.ts';

describe('POST /servers/add', () => {
  it('adds one instance of the default service when there is no body', async () => {
    const manager = new FakeManager();
    const response = await request(api({ manager })).post('/servers/add').expect(201);
    assert.deepEqual(manager.calls, [['add', { count: 1, wait: true }]]);
    assert.equal(response.get('Location'), '/servers/web-9000');
    assert.deepEqual(response.body, {
      id: 'web-9000',
      service: 'web',
      host: '127.0.0.1',
      port: 9000,
      node: null,
      url: 'http://127.0.0.1:9000',
      pid: 9001,
      status: 'running',
      health: 'unknown',
      weight: 1,
      version: null,
      startedAt: '2026-01-01T00:00:00.000Z',
      restarts: 0,
    });
  });

  it('takes an empty object for no wishes', async () => {
    const manager = new FakeManager();
    await request(api({ manager })).post('/servers/add').send({}).expect(201);
    assert.deepEqual(manager.calls, [['add', { count: 1, wait: true }]]);
  });

  it('hands every field of the body on', async () => {
    const manager = new FakeManager();
    const body = { service: 'shop', weight: 3, port: 9400, version: 'v2 (β)', env: { MODE: 'demo' } };
    await request(api({ manager })).post('/servers/add').send(body).expect(201);
    assert.deepEqual(manager.calls, [['add', { ...body, count: 1, wait: true }]]);
  });

  it('answers an array, without a Location, when a count is given', async () => {
    const response = await request(api()).post('/servers/add').send({ count: 3 }).expect(201);
    assert.deepEqual(
      response.body.map((view: { port: number }) => view.port),
      [9000, 9001, 9002],
    );
    assert.equal(response.get('Location'), undefined);
  });

  it('answers an array of one when the count is 1', async () => {
    const response = await request(api()).post('/servers/add').send({ count: 1 }).expect(201);
    assert.equal(response.body.length, 1);
    assert.equal(response.get('Location'), '/servers/web-9000');
  });

  it('answers 202 with what is starting when asked not to wait', async () => {
    const manager = new FakeManager({ add: async () => [instance(9000, { lifecycle: 'starting', process: null })] });
    const response = await request(api({ manager })).post('/servers/add?wait=false').expect(202);
    assert.deepEqual(manager.calls, [['add', { count: 1, wait: false }]]);
    assert.equal(response.body.status, 'starting');
    assert.equal(response.body.pid, null);
  });

  it('does not add a port to several instances', async () => {
    const manager = new FakeManager();
    const response = await request(api({ manager })).post('/servers/add').send({ count: 2, port: 9001 }).expect(400);
    assert.deepEqual(response.body.errors, [
      { path: 'body.port', message: 'a port is for one instance; leave out count or port' },
    ]);
    assert.deepEqual(manager.calls, []);
  });

  for (const [field, values] of Object.entries({
    service: ['', 'Web', 'a b', 7],
    count: [0, 101, 1.5, '2', null],
    weight: [0, 1001, '1'],
    port: [0, 65_536, '9000', -1],
    version: ['', 'a\nb', 'x'.repeat(65), 2],
    env: [{ '1X': 'a' }, { A: 1 }, ['A'], 'A=1'],
  })) {
    it(`refuses a ${field} out of shape`, async () => {
      const manager = new FakeManager();
      for (const value of values) {
        const response = await request(api({ manager }))
          .post('/servers/add')
          .send({ [field]: value });
        assert.equal(response.status, 400, JSON.stringify(value));
        assert.ok(response.body.errors[0].path.startsWith(`body.${field}`), response.body.errors[0].path);
      }
      assert.deepEqual(manager.calls, []);
    });
  }

  it('tells why an instance did not start, with the end of its output', async () => {
    const manager = new FakeManager({
      add: async () => {
        throw new HeimdallError('INSTANCE_EXITED', 'the instance exited with code 1', { logTail: ['boom', 'bye'] });
      },
    });
    const response = await request(api({ manager })).post('/servers/add').expect(502);
    assert.equal(response.type, 'application/problem+json');
    assert.equal(response.body.detail, 'the instance exited with code 1');
    assert.deepEqual(response.body.logTail, ['boom', 'bye']);
  });
});

describe('GET /servers/list', () => {
  it('answers every instance', async () => {
    const manager = new FakeManager();
    const response = await request(api({ manager })).get('/servers/list').expect(200);
    assert.equal(response.type, 'application/json');
    assert.deepEqual(
      response.body.map((view: { port: number; health: string }) => [view.port, view.health]),
      [
        [9000, 'healthy'],
        [9001, 'unhealthy'],
      ],
    );
    assert.deepEqual(manager.calls, [['list', {}]]);
  });

  it('hands service and status on', async () => {
    const manager = new FakeManager();
    await request(api({ manager })).get('/servers/list?service=web&status=draining').expect(200);
    assert.deepEqual(manager.calls, [['list', { service: 'web', status: 'draining' }]]);
  });

  it('names the statuses when it refuses one', async () => {
    const response = await request(api()).get('/servers/list?status=ready').expect(400);
    assert.match(response.body.detail, /query\.status: expected one of starting, running, draining, error, stopped/);
  });
});

describe('GET /servers/get', () => {
  it('answers the instance on a port', async () => {
    const response = await request(api()).get('/servers/get?port=9000').expect(200);
    assert.equal(response.body.port, 9000);
  });

  it('answers 404 for a port that no instance has', async () => {
    const response = await request(api()).get('/servers/get?port=9999').expect(404);
    assert.equal(response.body.code, 'INSTANCE_NOT_FOUND');
    assert.equal(response.body.port, 9999);
  });

  it('refuses what is not a port', async () => {
    const manager = new FakeManager();
    for (const port of ['abc', '', '0', '65536', '-1', '9e3', '09000', '9000.0', '0x2328', '+9000', ' 9000']) {
      const response = await request(api({ manager })).get('/servers/get').query({ port });
      assert.equal(response.status, 400, port);
      assert.match(response.body.detail, /query\.port: expected a whole number from 1 to 65535, not/);
    }
    assert.deepEqual(manager.calls, []);
  });

  it('takes an id in place of the port, and one of both', async () => {
    const manager = new FakeManager();
    await request(api({ manager })).get('/servers/get?id=web-9000').expect(200);
    assert.deepEqual(manager.calls, [['instances.get', 'web-9000']]);
    for (const query of ['', '?port=9000&id=web-9000']) {
      const response = await request(api()).get(`/servers/get${query}`).expect(400);
      assert.match(response.body.detail, /query\.port: expected the port of the instance .* or its id/);
    }
  });
});

describe('DELETE /servers/remove', () => {
  it('drains the instance and answers what was removed', async () => {
    const manager = new FakeManager();
    const response = await request(api({ manager })).delete('/servers/remove?port=9000').expect(200);
    assert.deepEqual(manager.calls, [['remove', '9000', { force: false }]]);
    assert.equal(response.body.status, 'stopped');
  });

  it('skips the drain when forced', async () => {
    const manager = new FakeManager();
    await request(api({ manager })).delete('/servers/remove?port=9000&force=true').expect(200);
    assert.deepEqual(manager.calls, [['remove', '9000', { force: true }]]);
  });

  it('takes only true and false for force', async () => {
    const manager = new FakeManager();
    const response = await request(api({ manager })).delete('/servers/remove?port=9000&force=yes').expect(400);
    assert.match(response.body.detail, /query\.force: expected true or false/);
    assert.deepEqual(manager.calls, []);
  });

  it('answers 404 for a port that no instance has', async () => {
    await request(api()).delete('/servers/remove?port=9001').expect(404);
  });
});

describe('one instance by its id or port', () => {
  it('is shown, weighed and restarted', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    await request(app).get('/servers/web-9000').expect(200);
    await request(app).patch('/servers/9000').send({ weight: 7 }).expect(200);
    await request(app).patch('/servers/9000').send({ weight: null }).expect(200);
    const restarted = await request(app).post('/servers/9000/restart').expect(200);
    assert.equal(restarted.get('Location'), '/servers/web-9001');
    await request(app).post('/servers/9000/restart?wait=false').expect(202);
    assert.deepEqual(manager.calls, [
      ['instances.get', 'web-9000'],
      ['instances.weigh', '9000', 7],
      ['instances.weigh', '9000', null],
      ['instances.restart', '9000', { wait: true }],
      ['instances.restart', '9000', { wait: false }],
    ]);
  });

  it('is changed by a weight only', async () => {
    const manager = new FakeManager();
    for (const body of [{}, { weight: 0 }, { weight: '2' }, { weight: 2, port: 1 }]) {
      await request(api({ manager })).patch('/servers/9000').send(body).expect(400);
    }
    assert.deepEqual(manager.calls, []);
  });
});
