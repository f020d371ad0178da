import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { api } from './fake-manager.ts';

describe('POST /alerts/test', () => {
  it('reports every channel, the failing ones too', async () => {
    const results = [
      { channel: 'email:ops', ok: true, durationMs: 12 },
      { channel: 'webhook:chat', ok: false, error: 'connect ECONNREFUSED', durationMs: 3 },
    ];
    const response = await request(api({ results })).post('/alerts/test').expect(200);
    assert.deepEqual(response.body, results);
  });

  it('says that no channel is configured', async () => {
    const response = await request(api()).post('/alerts/test').expect(409);
    assert.equal(response.body.code, 'NO_ALERT_CHANNEL');
    assert.match(response.body.detail, /alerts\.email or alerts\.webhooks/);
  });

  it('takes no fields', async () => {
    const response = await request(api()).post('/alerts/test').send({ channel: 'x' }).expect(400);
    assert.deepEqual(response.body.errors, [{ path: 'body.channel', message: 'unknown field' }]);
  });
});
