import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { api, FakeManager } from './fake-manager.ts';

describe('checkInput', () => {
  it('names every fault of query and body at once, with suggestions', async () => {
    const manager = new FakeManager();
    const response = await request(api({ manager }))
      .post('/servers/add?wiat=false&wait=no&verbose=1')
      .send({ coutn: 2, weight: 0, env: { '1X': 'a' }, colour: 'red' })
      .expect(400);
    assert.deepEqual(
      new Set(response.body.errors.map((error: { path: string }) => error.path)),
      new Set(['query.wait', 'query.wiat', 'query.verbose', 'body.weight', 'body.env.1X', 'body.coutn', 'body.colour']),
    );
    assert.match(response.body.detail, /query\.wiat: unknown parameter \(did you mean "wait"\?\)/);
    assert.match(response.body.detail, /body\.coutn: unknown field \(did you mean "count"\?\)/);
    assert.match(response.body.detail, /body\.env\.1X: not a variable name/);
    assert.deepEqual(manager.calls, []);
  });

  it('refuses a parameter that is given twice, even with one value', async () => {
    for (const query of ['port=9000&port=9001', 'port=9000&port=9000', 'port=9000&%70ort=9001']) {
      const response = await request(api()).get(`/servers/get?${query}`).expect(400);
      assert.deepEqual(response.body.errors, [{ path: 'query.port', message: 'given more than once' }]);
    }
  });

  it('refuses __proto__ like any other unknown name', async () => {
    const app = api();
    await request(app).get('/servers/list?__proto__=1').expect(400);
    await request(app).post('/servers/add').type('json').send('{"__proto__": {"count": 5}}').expect(400);
  });

  it('keeps a question mark inside a value', async () => {
    const response = await request(api()).get('/servers/list?service=a?b').expect(400);
    assert.equal(response.body.errors[0].path, 'query.service');
  });

  it('refuses a body that is not an object', async () => {
    for (const body of ['null', '[]', '3', '"count"']) {
      const response = await request(api()).post('/servers/add').type('json').send(body).expect(400);
      assert.equal(response.body.errors[0].path, 'body');
    }
  });
});
