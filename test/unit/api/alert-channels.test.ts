import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { api } from './fake-manager.ts';
import { FakeAlertBook } from './fake-alert-book.ts';

const HOOK = { url: 'https://8.8.8.8/T0/s3cret', format: 'slack', secret: 'a secret of theirs', severity: 'warning' };

describe('/alerts/channels', () => {
  it('are set, listed without what is secret, and removed; each time the processes hear of it', async () => {
    let changes = 0;
    const channelsChanged = async () => {
      changes += 1;
    };
    const app = api({ channelsChanged });
    const made = await request(app)
      .post('/alerts/channels')
      .send({ name: 'chat', webhook: HOOK, by: 'ann' })
      .expect(201);
    assert.equal(made.headers['location'], '/alerts/channels/chat');
    const { at, ...view } = made.body;
    const severity = 'warning';
    assert.deepEqual(view, {
      name: 'chat',
      target: 'https://8.8.8.8',
      format: 'slack',
      severity,
      services: [],
      by: 'ann',
    });
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
    assert.deepEqual((await request(app).get('/alerts/channels').expect(200)).body, [made.body]);
    assert.deepEqual((await request(app).delete('/alerts/channels/chat').expect(200)).body, made.body);
    assert.equal((await request(app).delete('/alerts/channels/chat').expect(404)).body.code, 'CHANNEL_NOT_FOUND');
    assert.equal(changes, 2);
  });

  for (const [body, path, message] of [
    [{ name: 'chat' }, 'body.webhook', /object/],
    [{ name: 'a/b', webhook: HOOK }, 'body.name', /letters, digits/],
    [{ name: 'chat', webhook: { url: 'ftp://example.org' } }, 'body.webhook.url', /http/],
    [{ name: 'chat', webhook: { ...HOOK, colour: 'red' } }, 'body.webhook', /colour/],
    [{ name: 'chat', webhook: { ...HOOK, services: ['web', 'wbe'] } }, 'body.webhook.services.1', /no service "wbe"/],
    [{ name: 'chat', webhook: { ...HOOK, url: 'http://169.254.169.254/latest' } }, 'body.webhook.url', /private or/],
    [
      { name: 'chat', webhook: { ...HOOK, url: 'http://localhost:7000/servers/add' } },
      'body.webhook.url',
      /private or/,
    ],
  ] as const) {
    it(`refuse ${JSON.stringify(body)}`, async () => {
      const book = new FakeAlertBook();
      const answer = await request(api({ book })).post('/alerts/channels').send(body).expect(400);
      assert.equal(answer.body.errors[0].path, path, JSON.stringify(answer.body));
      assert.match(answer.body.errors[0].message, message);
      assert.deepEqual(await book.channels(), []);
    });
  }

  it('may lead into networks that the configuration allows', async () => {
    const app = api({ allowedNetworks: ['10.0.0.0/8'] });
    const webhook = { url: 'http://10.1.2.3/hook' };
    await request(app).post('/alerts/channels').send({ name: 'chat', webhook }).expect(201);
  });
});
