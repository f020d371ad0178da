import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import type { AlertRecord } from '../../../pkg/alerts/book.ts';
import { FakeAlertBook } from './fake-alert-book.ts';
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

const SINCE = Date.UTC(2026, 0, 2, 12);
const KEY = 'instance-down:web/web-9001-ab';
const DOWN: AlertRecord = {
  id: 'outage-1',
  alert: { key: KEY, severity: 'warning', title: 'web-9001-ab is down', service: 'web', at: SINCE },
  resolvedAt: null,
  announced: true,
  acknowledgement: null,
};

describe('GET /alerts', () => {
  it('shows the history, with what is silenced at present', async () => {
    const over = { ...DOWN, id: 'outage-0', resolvedAt: SINCE + 90_000 };
    const book = new FakeAlertBook(DOWN, over);
    await book.addSilence({ match: { key: 'instance-down:*' }, createdAt: 0, until: 9e12, by: 'ann', comment: '' });
    const { body } = await request(api({ book })).get('/alerts?state=active&limit=5&service=web').expect(200);
    assert.deepEqual(book.queries, [{ state: 'active', limit: 5, service: 'web' }]);
    assert.equal(body[0].silenced, true);
    assert.deepEqual(body[1], {
      id: 'outage-0',
      key: KEY,
      state: 'resolved',
      severity: 'warning',
      title: 'web-9001-ab is down',
      cause: null,
      service: 'web',
      instance: null,
      node: null,
      since: '2026-01-02T12:00:00.000Z',
      resolvedAt: '2026-01-02T12:01:30.000Z',
      durationMs: 90_000,
      announced: true,
      silenced: false,
      acknowledged: null,
    });
  });

  it('names what is wrong with the question', async () => {
    const { body } = await request(api()).get('/alerts?state=firing&limit=0').expect(400);
    assert.deepEqual(
      body.errors.map(({ path }: { path: string }) => path),
      ['query.limit', 'query.state'],
    );
  });
});

describe('POST /alerts/{id or key}/ack', () => {
  it('takes the id or the key, and tells who knows', async () => {
    const app = api({ book: new FakeAlertBook(DOWN) });
    for (const name of ['outage-1', KEY]) {
      const { body } = await request(app)
        .post(`/alerts/${encodeURIComponent(name)}/ack`)
        .send({ by: 'ann', comment: 'on it' })
        .expect(200);
      assert.equal(body.id, 'outage-1');
      const { at, ...words } = body.acknowledged;
      assert.deepEqual(words, { by: 'ann', comment: 'on it' });
      assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
    }
    const { body } = await request(app).post('/alerts/unknown/ack').expect(404);
    assert.equal(body.code, 'ALERT_NOT_FOUND');
  });
});

describe('/alerts/silences', () => {
  it('are made for a time or until one, listed, and removed', async () => {
    const app = api();
    const match = { service: 'web', severity: 'warning' };
    const made = await request(app).post('/alerts/silences').send({ match, for: '2h', by: 'ann' }).expect(201);
    assert.equal(made.headers['location'], '/alerts/silences/1');
    assert.equal(Date.parse(made.body.until) - Date.parse(made.body.createdAt), 7_200_000);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const other = await request(app)
      .post('/alerts/silences')
      .send({ match: { key: 'x' }, until })
      .expect(201);
    assert.equal(other.body.until, until);
    const list = await request(app).get('/alerts/silences').expect(200);
    assert.deepEqual(list.body, [made.body, other.body]);
    assert.deepEqual((await request(app).delete('/alerts/silences/1').expect(200)).body, made.body);
    await request(app).delete('/alerts/silences/1').expect(404);
    await request(app).delete('/alerts/silences/x').expect(400);
  });

  const match = { service: 'web' };
  for (const [body, path, message] of [
    [{ match: {}, for: '1h' }, 'body.match', /at least one of key, service/],
    [{ match: { severity: 'bad' }, for: '1h' }, 'body.match.severity', /critical/],
    [{ match: { services: 'web' }, for: '1h' }, 'body.match.services', /unknown field/],
    [{ match }, 'body', /either "for", such as "2h", or "until"/],
    [{ match, for: '1h', until: '2999-01-01T00:00:00Z' }, 'body', /either "for"/],
    [{ match, until: '2999-01-01T00:00:00Z' }, 'body.until', /within 90 days/],
    [{ match, until: '2001-01-01T00:00:00Z' }, 'body.until', /a time to come/],
    [{ match, until: 'tomorrow' }, 'body.until', /ISO 8601/],
    [{ match, for: 'ever' }, 'body.for', /a duration such as/],
  ] as const) {
    it(`refuse ${JSON.stringify(body)}`, async () => {
      const book = new FakeAlertBook();
      const answer = await request(api({ book })).post('/alerts/silences').send(body).expect(400);
      assert.equal(answer.body.errors[0].path, path);
      assert.match(answer.body.errors[0].message, message);
      assert.deepEqual(book.kept, []);
    });
  }
});
