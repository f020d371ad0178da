import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { HTTP_STATUS } from '../../../internal/api/problem.ts';
import { type ErrorCode, HeimdallError } from '../../../internal/model/errors.ts';
import { api, FakeManager } from './fake-manager.ts';

async function answerTo(code: ErrorCode, context: Record<string, unknown> = {}) {
  const manager = new FakeManager({ add: () => Promise.reject(new HeimdallError(code, 'what to do', context)) });
  return request(api({ manager })).post('/servers/add?');
}

describe('sendProblem', () => {
  it('writes the standard members, the code and the context', async () => {
    const response = await answerTo('PORT_TAKEN', { ports: [9000] });
    assert.equal(response.status, 409);
    assert.equal(response.type, 'application/problem+json');
    assert.deepEqual(response.body, {
      ports: [9000],
      type: 'urn:heimdall:error:port-taken',
      title: 'Port taken',
      status: 409,
      detail: 'what to do',
      code: 'PORT_TAKEN',
      instance: '/servers/add',
    });
  });

  it('lets no context replace a standard member', async () => {
    const { body } = await answerTo('NO_FREE_PORT', { status: 200, detail: 'fine', instance: 'web-1' });
    assert.deepEqual([body.status, body.detail, body.instance], [503, 'what to do', '/servers/add']);
  });

  it('blames the command with 502, its slowness with 504', async () => {
    assert.equal((await answerTo('COMMAND_FAILED')).status, 502);
    assert.equal((await answerTo('INSTANCE_EXITED')).status, 502);
    assert.equal((await answerTo('INSTANCE_NOT_READY')).status, 504);
  });

  it('says when to try again with every 503, and only then', async () => {
    for (const code of ['NO_FREE_PORT', 'REGISTRY_UNAVAILABLE', 'SHUTTING_DOWN', 'NOT_SPAWNED'] as const) {
      const response = await answerTo(code);
      assert.equal(response.status, HTTP_STATUS[code]);
      assert.equal(response.get('Retry-After') !== undefined, response.status === 503, code);
    }
  });
});
