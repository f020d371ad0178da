import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import request from 'supertest';
import { HeimdallError } from '../../../internal/model/errors.ts';
import type { Viewer } from '../../../internal/server/live/live-feed.ts';
import { liveState } from '../../support/live-state.ts';
import { api, FakeManager } from './fake-manager.ts';

/** Somebody who watches, as the feed sees it. */
class FakeFeed {
  readonly joined = Promise.withResolvers<Viewer>();
  readonly left = Promise.withResolvers<void>();

  join(enter: () => Viewer): () => void {
    this.joined.resolve(enter());
    return () => this.left.resolve();
  }

  async once() {
    return liveState({ revision: 42 });
  }
}

describe('GET /live', () => {
  it('answers the state as it is now, as JSON, with once', async () => {
    const response = await request(api({ manager: new FakeManager({ live: new FakeFeed() }) })).get('/live?once=true');
    assert.deepEqual([response.status, response.body], [200, liveState({ revision: 42 })]);
  });

  it('answers with a stream of events, tells when to come back, and that the client has left', async () => {
    const feed = new FakeFeed();
    const server = api({ manager: new FakeManager({ live: feed }) }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    try {
      const asked = get({ host: '127.0.0.1', port: address.port, path: '/live' });
      const viewer = await feed.joined.promise;
      await viewer.send('tick', '{"at":"now"}');
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      let received = '';
      for await (const chunk of response.setEncoding('utf8')) {
        received += chunk;
        if (received.endsWith('}\n\n')) break;
      }
      assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8');
      assert.equal(received, 'retry: 2000\n\nevent: tick\ndata: {"at":"now"}\n\n');
      await feed.left.promise;
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('ends at once for HEAD', async () => {
    const feed = new FakeFeed();
    await request(api({ manager: new FakeManager({ live: feed }) }))
      .head('/live')
      .expect(200);
    await feed.left.promise;
  });

  it('refuses as a problem whoever there is no room for', async () => {
    const feed = Object.assign(new FakeFeed(), {
      join: () => {
        throw new HeimdallError('TOO_MANY_VIEWERS', '100 viewers watch already');
      },
    });
    const response = await request(api({ manager: new FakeManager({ live: feed }) }))
      .get('/live')
      .expect(503);
    assert.deepEqual([response.body.code, response.get('Retry-After')], ['TOO_MANY_VIEWERS', '30']);
  });
});
