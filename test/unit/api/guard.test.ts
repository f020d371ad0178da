import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { api, FakeManager } from './fake-manager.ts';

const TOKEN = 'Bearer sesame';

/** What exactly is refused is told by the tests of `pkg/http-guard`; here it is that nothing gets past it. */
describe('the guard of the API', () => {
  // A page on evil.example re-points its name to 127.0.0.1, or posts to localhost from its visitor's browser:
  // either way the browser sends a name that is not ours.
  it('stands before every route, known or not', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    for (const [method, path] of [
      ['post', '/servers/add'],
      ['delete', '/servers/remove?port=9000'],
      ['get', '/servers/list'],
      ['get', '/status'],
      ['get', '/'],
      ['get', '/nowhere'],
      ['put', '/status'],
    ] as const) {
      for (const fields of [{ Host: 'evil.example' }, { Host: 'localhost:7000', Origin: 'https://evil.example' }]) {
        const response = await request(app)[method](path).set(fields).expect(403);
        assert.equal(response.type, 'application/problem+json');
        assert.equal(response.body.code, 'FORBIDDEN');
      }
    }
    assert.deepEqual(manager.calls, []);
  });

  // Anyone who reaches the port can start processes:
  // without the token no call does anything, not even one that shows the help.
  it('asks every call for the token', async () => {
    const manager = new FakeManager();
    const app = api({ manager, token: () => 'sesame' });
    for (const path of ['/', '/status', '/servers/list', '/nowhere']) {
      const response = await request(app).get(path).expect(401);
      assert.equal(response.get('WWW-Authenticate'), 'Bearer realm="heimdall"');
      assert.equal(response.body.code, 'UNAUTHORIZED');
    }
    await request(app).post('/servers/add').expect(401);
    const wrong = await request(app).get('/status').set('Authorization', 'Bearer other').expect(401);
    assert.match(wrong.get('WWW-Authenticate') ?? '', /error="invalid_token"/);
    assert.deepEqual(manager.calls, []);
    await request(app).get('/status').set('Authorization', TOKEN).expect(200);
  });

  it('asks for the token that is in force now', async () => {
    let token: string | undefined = 'old';
    const app = api({ token: () => token });
    await request(app).get('/status').set('Authorization', 'Bearer old').expect(200);
    token = 'new';
    await request(app).get('/status').set('Authorization', 'Bearer old').expect(401);
    token = undefined;
    await request(app).get('/status').expect(200);
  });

  it('lets the names through that are allowed now', async () => {
    let allowed = ['ops.example'];
    const app = api({ allowedHosts: () => allowed });
    await request(app).get('/status').set('Host', 'ops.example:7000').expect(200);
    allowed = ['box.example'];
    const refused = await request(app).get('/status').set('Host', 'ops.example:7000').expect(403);
    assert.match(refused.body.detail, /manager\.allowedHosts/);
    await request(app).get('/status').set('Host', 'box.example:7000').expect(200);
  });
});
