import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { api, FakeManager, STATUS } from './fake-manager.ts';

describe('GET /status', () => {
  it('answers the summary of the manager', async () => {
    const response = await request(api()).get('/status').expect(200);
    assert.deepEqual(response.body, STATUS);
  });

  it('answers HEAD with the same head and no body', async () => {
    const app = api();
    const get = await request(app).get('/status').expect(200);
    const head = await request(app).head('/status').expect(200);
    assert.equal(head.get('Content-Type'), get.get('Content-Type'));
    assert.equal(head.get('Content-Length'), get.get('Content-Length'));
    assert.equal(head.text, undefined);
  });
});

describe('GET /events', () => {
  it('answers the last events with their times in ISO 8601', async () => {
    const event = { type: 'instance.added', service: 'web', instanceId: 'a', message: 'added', data: {} } as const;
    const manager = new FakeManager({ events: async () => [{ ...event, id: 7, at: Date.UTC(2026, 0, 2) }] });
    const response = await request(api({ manager })).get('/events').expect(200);
    assert.deepEqual(response.body, [{ ...event, id: 7, at: '2026-01-02T00:00:00.000Z' }]);
    assert.deepEqual(manager.calls, [['events', { limit: 100 }]]);
  });

  it('hands limit and service on', async () => {
    const manager = new FakeManager();
    await request(api({ manager })).get('/events?limit=5&service=web').expect(200);
    assert.deepEqual(manager.calls, [['events', { limit: 5, service: 'web' }]]);
  });

  it('refuses a limit outside 1 to 1000', async () => {
    for (const limit of ['0', '1001', 'all']) await request(api()).get('/events').query({ limit }).expect(400);
  });
});
