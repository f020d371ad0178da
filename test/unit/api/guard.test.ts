import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import request from 'supertest';
import { startApiServer } from '../../../internal/api/http-server.ts';
import { api, FakeManager, silent, type TestApi } from './fake-manager.ts';

async function statusFor(fields: Record<string, string>, options: TestApi = {}): Promise<number> {
  return (await request(api(options)).get('/status').set(fields)).status;
}

/** The status line of an answer to bytes that no proper client would send. */
async function rawStatus(head: string, manager: FakeManager): Promise<string | undefined> {
  const server = await startApiServer({ app: api({ manager }), host: '127.0.0.1', port: 0, log: silent });
  const socket = connect(server.port, '127.0.0.1');
  try {
    socket.end(head);
    const [bytes] = await once(socket, 'data');
    return String(bytes).split('\r\n')[0];
  } finally {
    socket.destroy();
    await server.close();
  }
}

describe('the Host check', () => {
  // A page on evil.example points its name at 127.0.0.1 once it is loaded (DNS rebinding):
  // the browser then takes the manager for the page's own origin, but still sends the page's name.
  it('refuses a name that is not ours', async () => {
    const manager = new FakeManager();
    for (const host of [
      'evil.example',
      'evil.example:7000',
      '127.0.0.1.evil.example',
      '127.evil.example:7000',
      'localhost.evil.example',
      'localhost@evil.example',
      '10.0.0.1:7000',
      '[::2]:7000',
      '0.0.0.0:7000',
      'localhost:7000, evil.example',
      '',
    ]) {
      assert.equal(await statusFor({ Host: host }, { manager }), 403, host);
    }
    assert.deepEqual(manager.calls, []);
  });

  it('lets loopback names and addresses through with any port', async () => {
    for (const host of ['localhost', 'LOCALHOST:7000', '127.0.0.1:7000', '127.8.9.1', '[::1]:7000', '[::1]']) {
      assert.equal(await statusFor({ Host: host }), 200, host);
    }
  });

  it('lets the configured names through', async () => {
    const options = { allowedHosts: ['Ops.example', '10.0.0.5'] };
    assert.equal(await statusFor({ Host: 'ops.example:7000' }, options), 200);
    assert.equal(await statusFor({ Host: '10.0.0.5' }, options), 200);
    assert.equal(await statusFor({ Host: 'www.ops.example' }, options), 403);
  });

  // Two Host fields: the check reads one, something behind or before it the other.
  // node:http keeps the first and hides the second.
  it('refuses two Host fields', async () => {
    const manager = new FakeManager();
    const head = 'GET /status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n';
    assert.match((await rawStatus(head, manager)) ?? '', /^HTTP\/1\.1 403 /);
    assert.deepEqual(manager.calls, []);
  });

  // HTTP/1.0 needs no Host, so the parser lets such a request in:
  // a check that skips what is missing would be passed by leaving it out.
  it('refuses a request without Host', async () => {
    const manager = new FakeManager();
    assert.match((await rawStatus('GET /status HTTP/1.0\r\n\r\n', manager)) ?? '', /^HTTP\/1\.1 403 /);
    assert.deepEqual(manager.calls, []);
  });
});

describe('the Origin check', () => {
  // A page on evil.example posts to http://localhost:7000/servers/add from its visitor's browser (CSRF):
  // the Host is ours, the Origin is not.
  it('refuses a page of another origin', async () => {
    const manager = new FakeManager();
    for (const origin of [
      'https://evil.example',
      'http://localhost:8080',
      'http://localhost:70000',
      'http://localhost:7000.evil.example',
      'null',
      '',
      'localhost:7000',
      'http://localhost:7000, https://evil.example',
    ]) {
      const response = await request(api({ manager }))
        .post('/servers/add')
        .set({ Host: 'localhost:7000', Origin: origin });
      assert.equal(response.status, 403, origin);
    }
    assert.deepEqual(manager.calls, []);
  });

  // <img src="http://localhost:7000/…"> on evil.example sends no Origin,
  // but browsers tell that the page is a stranger.
  it('refuses what a browser marks as cross-site', async () => {
    assert.equal(await statusFor({ 'Sec-Fetch-Site': 'cross-site' }), 403);
  });

  it('lets its own pages and programs through', async () => {
    const Host = 'localhost:7000';
    assert.equal(await statusFor({ Host, Origin: 'http://localhost:7000', 'Sec-Fetch-Site': 'same-origin' }), 200);
    assert.equal(await statusFor({ Host, Origin: 'https://LOCALHOST:7000' }), 200);
    assert.equal(await statusFor({ Host, 'Sec-Fetch-Site': 'none' }), 200);
    assert.equal(await statusFor({ Host }), 200);
  });
});

describe('the token check', () => {
  // Anyone who reaches the port can start processes:
  // without the token no call does anything, not even one that shows the help.
  it('refuses every call without the token', async () => {
    const manager = new FakeManager();
    const app = api({ manager, token: 'sesame' });
    for (const path of ['/', '/status', '/servers/list', '/nowhere']) {
      const response = await request(app).get(path).expect(401);
      assert.equal(response.get('WWW-Authenticate'), 'Bearer realm="heimdall"');
      assert.equal(response.body.code, 'UNAUTHORIZED');
    }
    await request(app).post('/servers/add').expect(401);
    assert.deepEqual(manager.calls, []);
  });

  // A token in the query ends up in logs and histories; other schemes, prefixes and
  // longer values must not pass for the token.
  it('takes the token from the Authorization field only, and only the whole of it', async () => {
    const app = api({ token: 'sesame' });
    await request(app).get('/status?token=sesame').expect(401);
    for (const value of [
      'sesame',
      'Basic sesame',
      'Bearer',
      'Bearer ',
      'Bearer sesam',
      'Bearer sesame2',
      'Bearer x sesame',
    ]) {
      await request(app).get('/status').set('Authorization', value).expect(401);
    }
    const wrong = await request(app).get('/status').set('Authorization', 'Bearer other').expect(401);
    assert.match(wrong.get('WWW-Authenticate') ?? '', /error="invalid_token"/);
    await request(app).get('/status').set('Authorization', 'Bearer sesame').expect(200);
    await request(app).get('/status').set('Authorization', 'bearer sesame').expect(200);
  });

  // A token that resolved to nothing must not open the door:
  // an empty one locks it.
  it('lets nobody in with an empty token', async () => {
    const app = api({ token: '' });
    await request(app).get('/status').expect(401);
    await request(app).get('/status').set('Authorization', 'Bearer ').expect(401);
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
});
