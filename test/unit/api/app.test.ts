import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { HeimdallError } from '../../../internal/model/errors.ts';
import { createLogger, type Logger } from '../../../pkg/logger/logger.ts';
import { api, FakeManager } from './fake-manager.ts';

function recorder(): { log: Logger; text: () => string } {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  return { log: createLogger({ name: 'test', level: 'warn', pretty: false, destination }), text: () => lines.join('') };
}

describe('the API', () => {
  it('answers 404 with the routes on an unknown path', async () => {
    const response = await request(api()).get('/servers?x=1').expect(404);
    assert.equal(response.type, 'application/problem+json');
    assert.equal(response.body.code, 'NOT_FOUND');
    assert.equal(response.body.instance, '/servers');
    assert.ok(response.body.routes.includes('DELETE /servers/remove'));
  });

  it('says what is wrong with a path that cannot be read', async () => {
    for (const name of ['%zz', '%C3', '100%']) {
      const { body } = await request(api()).post(`/services/${name}/deploy`).expect(400);
      assert.equal(body.errors[0].path, 'path');
    }
  });

  it('answers 405 with the methods that a path takes', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    const cases = [
      ['get', '/servers/add', 'POST'],
      ['get', '/servers/remove?port=9000', 'DELETE'],
      ['post', '/servers/remove?port=9000', 'DELETE'],
      ['delete', '/servers/list', 'GET, HEAD'],
      ['head', '/servers/add', 'POST'],
      ['options', '/status', 'GET, HEAD'],
      ['put', '/', 'GET, HEAD'],
    ] as const;
    for (const [method, path, allow] of cases) {
      const response = await request(app)[method](path);
      assert.equal(response.status, 405, `${method} ${path}`);
      assert.equal(response.get('Allow'), allow);
    }
    assert.deepEqual(manager.calls, []);
  });

  it('sends the headers that fit an API, on errors too', async () => {
    for (const path of ['/status', '/nowhere']) {
      const { headers } = await request(api()).get(path);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['cache-control'], 'no-store');
      assert.match(headers['content-security-policy'] ?? '', /frame-ancestors 'none'/);
      assert.equal(headers['x-powered-by'], undefined);
      assert.equal(headers.etag, undefined);
    }
  });

  it('keeps what an unexpected error says out of the answer and puts it into the log', async () => {
    const { log, text } = recorder();
    const manager = new FakeManager({ status: () => Promise.reject(new Error('secret at /srv/app.ts:1')) });
    const response = await request(api({ manager, log })).get('/status').expect(500);
    assert.equal(response.body.code, 'INTERNAL');
    assert.doesNotMatch(response.text, /secret|srv/);
    assert.match(text(), /secret at \/srv/);
  });

  it('puts the cause of a 5xx into the log, and only there', async () => {
    const { log, text } = recorder();
    const cause = new Error('disk I/O error');
    const error = new HeimdallError('REGISTRY_UNAVAILABLE', 'the registry cannot be reached', {}, { cause });
    const manager = new FakeManager({ status: () => Promise.reject(error) });
    const response = await request(api({ manager, log })).get('/status').expect(503);
    assert.equal(response.body.detail, 'the registry cannot be reached');
    assert.doesNotMatch(response.text, /disk/);
    assert.match(text(), /disk I\/O error/);
  });

  it('says when to come back while the manager shuts down', async () => {
    const manager = new FakeManager({
      add: () => Promise.reject(new HeimdallError('SHUTTING_DOWN', 'the manager is shutting down')),
    });
    const response = await request(api({ manager })).post('/servers/add').expect(503);
    assert.match(response.get('Retry-After') ?? '', /^\d+$/);
  });
});
