import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { apiEndpoints } from '../../../internal/api/app.ts';
import type { ExampleRequest } from '../../../internal/api/description.ts';
import type { Endpoint } from '../../../internal/api/endpoint.ts';
import type { Viewer } from '../../../internal/server/live/live-feed.ts';
import { liveState } from '../../support/live-state.ts';
import { mismatch } from '../../support/described-answers.ts';
import { FakeAlertBook } from './fake-alert-book.ts';
import { api, apiOptions, FakeManager, type TestApi } from './fake-manager.ts';

const ENDPOINTS = apiEndpoints(apiOptions());

/** A live stream that ends when it has told one message of each kind. */
function briefly(open: () => Viewer): () => void {
  const { send, end } = open();
  const [{ at }, history] = [liveState(), { until: 0, stepMs: 1, services: {}, instances: {} }];
  const sent = [
    send('state', JSON.stringify(liveState())),
    send('history', JSON.stringify(history)),
    send('tick', JSON.stringify({ at })),
  ];
  void Promise.all(sent).then(end);
  return () => {};
}

/** An API that has whatever the examples name. */
async function apiWithAll(): Promise<TestApi> {
  const alert = { key: 'disk', severity: 'warning', title: 'full', at: 0 } as const;
  const book = new FakeAlertBook({ id: '1', alert, resolvedAt: null, announced: true, acknowledgement: null });
  await book.addSilence({ match: { key: 'a' }, createdAt: 0, until: 9e12, by: 'ann', comment: '' });
  const manager = new FakeManager({ live: { once: async () => liveState(), join: briefly } });
  const settings = {
    manager,
    book,
    results: [{ channel: 'chat', ok: true, durationMs: 1 }],
    allowedNetworks: ['192.0.2.0/24'],
  };
  const channel = { name: 'chat', webhook: { url: 'https://192.0.2.1/hook' } };
  await request(api(settings)).post('/alerts/channels').send(channel).expect(201);
  return settings;
}

async function send({ method, path }: Endpoint, { id = '', query, body, accept = '*/*' }: ExampleRequest) {
  const url = `${path.replace(':id', encodeURIComponent(id))}${query === undefined ? '' : `?${query}`}`;
  const agent = request(api(await apiWithAll()));
  const verb = method.toLowerCase() as 'get' | 'post' | 'patch' | 'delete';
  const call = agent[verb](url).set('Accept', accept);
  return body === undefined ? call : call.send(body);
}

describe('the description of', () => {
  for (const endpoint of ENDPOINTS) {
    const { method, path, description } = endpoint;
    const { id, answers, examples } = description;
    it(`${method} ${path} has examples that work`, async () => {
      for (const example of examples) {
        if (JSON.stringify(example.body)?.includes('example.org')) continue; // its name is looked up in the network
        const { status, text } = await send(endpoint, example);
        assert.ok(status in answers, `${JSON.stringify(example)}: ${status} ${text}`);
      }
    });

    it(`${method} ${path} has answers that are as it says`, () => {
      assert.equal(id !== undefined, path.includes(':id'));
      for (const { what, schema, example } of Object.values(answers)) {
        assert.notEqual(what, '');
        if (schema !== undefined) assert.equal(mismatch(schema, example), null);
      }
    });
  }
});
