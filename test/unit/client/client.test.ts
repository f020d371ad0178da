import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ClientOptions,
  createClient,
  HeimdallApiError,
  HeimdallConnectionError,
} from '../../../internal/client/client.ts';
import { apiEndpoints } from '../../../internal/api/app.ts';
import { api, apiOptions, FakeManager } from '../api/fake-manager.ts';

/** Serves while the client is used. */
async function withServer<T>(app: RequestListener, use: (baseUrl: string) => Promise<T>): Promise<T> {
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  try {
    return await use(`http://127.0.0.1:${address.port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function withApi<T>(use: (client: ReturnType<typeof createClient>, manager: FakeManager) => Promise<T>): Promise<T> {
  const manager = new FakeManager();
  return withServer(api({ manager, allowedNetworks: ['192.0.2.0/24'] }), (baseUrl) =>
    use(createClient({ baseUrl }), manager),
  );
}

/** A client whose calls go nowhere; what it would have sent is kept. */
function recording(options: Partial<ClientOptions> = {}) {
  const sent: { url: string; request: RequestInit }[] = [];
  const client = createClient({
    baseUrl: 'http://manager:7000',
    fetch: async (url, request) => {
      assert.ok(typeof url === 'string');
      sent.push({ url, request: request ?? {} });
      return Response.json([], { headers: { ETag: '"7"' } });
    },
    ...options,
  });
  return { client, sent };
}

async function drained<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

describe('the client', () => {
  it('adds, shows and removes instances', async () => {
    await withApi(async ({ servers }, manager) => {
      assert.equal((await servers.add({ service: undefined })).length, 1);
      assert.equal((await servers.add({ count: 2 }, { wait: false })).length, 2);
      assert.equal((await servers.list({ service: 'web', status: 'running' })).length, 2);
      assert.equal((await servers.get(9000)).id, 'web-9000');
      assert.equal((await servers.remove(9000, { force: true })).status, 'stopped');
      assert.equal((await servers.weigh('web-9000', 5)).service, 'web');
      assert.equal((await servers.restart(9000, { wait: false })).service, 'web');
      assert.deepEqual(await servers.logs('web-9000', { lines: 5, stream: 'err' }), []);
      assert.deepEqual(await drained(servers.followLogs(9000)), []);
      assert.deepEqual(manager.calls, [
        ['add', { count: 1, wait: true }],
        ['add', { count: 2, wait: false }],
        ['list', { service: 'web', status: 'running' }],
        ['instances.get', '9000'],
        ['remove', '9000', { force: true }],
        ['instances.weigh', 'web-9000', 5],
        ['instances.restart', '9000', { wait: false }],
        ['logs', 'web-9000', { lines: 5, stream: 'err', follow: false }],
        ['logs', '9000', { lines: 100, follow: true }],
      ]);
    });
  });

  it('steers services', async () => {
    await withApi(async ({ services }, manager) => {
      assert.equal((await services.list())[0]?.name, 'web');
      assert.equal((await services.get('web')).deployments[0]?.id, 3);
      await services.patch('web', { algorithm: null, weight: 2 });
      await services.scale('web', 4);
      await services.pause('web');
      await services.resume('web');
      assert.equal((await services.deploy('web', { version: 'v2', by: 'ann' }, { wait: true })).state, 'succeeded');
      await services.restart('web');
      await services.rollback('web', { to: 2 }, { queue: true });
      const options = { by: 'api', queue: false, wait: false, alone: false };
      assert.deepEqual(manager.calls.slice(2), [
        ['services.patch', 'web', { algorithm: null, weight: 2 }],
        ['services.patch', 'web', { instances: 4 }],
        ['services.pause', 'web'],
        ['services.resume', 'web'],
        ['services.deploy', 'web', { version: 'v2', by: 'ann' }, { by: 'ann', queue: false, wait: true, alone: false }],
        ['services.restart', 'web', options],
        ['services.rollback', 'web', 2, { ...options, queue: true }],
      ]);
    });
  });

  it('shows deployments, and follows one to its end', async () => {
    await withApi(async ({ deployments }) => {
      assert.equal((await deployments.list({ limit: 1 }))[0]?.id, 3);
      assert.equal((await deployments.get(3)).steps.length, 2);
      const messages = await drained(deployments.follow(3));
      assert.deepEqual(
        messages.map(({ event }) => event),
        ['step', 'step', 'end'],
      );
      assert.ok(messages[2]?.event === 'end' && messages[2].data.state === 'succeeded');
    });
  });

  it('tells of alerts, and takes what people say of them', async () => {
    await withApi(async ({ alerts, events, status, reload }) => {
      assert.deepEqual(await alerts.list({ state: 'active' }), []);
      const silence = await alerts.silence({ match: { service: 'web', key: undefined }, for: '2h', comment: 'moving' });
      assert.equal((await alerts.silences())[0]?.id, silence.id);
      assert.equal((await alerts.endSilence(silence.id)).comment, 'moving');
      const channel = { name: 'chat', webhook: { url: 'https://192.0.2.1/hook', format: 'slack' } };
      assert.equal((await alerts.addChannel(channel)).target, 'https://192.0.2.1');
      assert.equal((await alerts.channels()).length, 1);
      assert.equal((await alerts.removeChannel('chat')).name, 'chat');
      assert.deepEqual(await alerts.rules(), []);
      await assert.rejects(
        alerts.ack('instance-down:a/b', { by: 'ann' }),
        /there is no active alert instance-down:a\/b/,
      );
      await assert.rejects(alerts.test(), { code: 'NO_ALERT_CHANNEL', status: 409 });
      assert.deepEqual(await events({ limit: 3 }), []);
      assert.equal((await status()).version, '1.2.3');
      assert.equal((await reload()).successor, 2);
    });
  });

  it('sends the token, the actor, the key and the tag where they belong', async () => {
    const { client, sent } = recording({ token: 'sesame', actor: 'Zoë 100%41' });
    await client.services.scale('a/b', 2, { idempotencyKey: 'k1', ifMatch: '"7"' });
    assert.equal((await client.services.getTagged('web')).etag, '"7"');
    assert.equal(sent[0]?.url, 'http://manager:7000/services/a%2Fb/scale');
    assert.deepEqual(sent[0]?.request.headers, {
      Accept: 'application/json',
      'Content-Type': 'application/json',
      Authorization: 'Bearer sesame',
      'Heimdall-Actor': 'Zo%C3%AB%20100%2541', // or the manager would read an A
      'Idempotency-Key': 'k1',
      'If-Match': '"7"',
    });
  });

  it('names the node that is to answer', async () => {
    const { client, sent } = recording();
    await client.servers.add({}, { node: 'b', wait: false });
    await client.servers.logs(9000, { node: 'b', lines: 1 });
    await client.services.deploy('web', {}, { node: 'b' });
    await client.deployments.get(3, { node: 'b' });
    assert.deepEqual(
      sent.map(({ url }) => url.slice('http://manager:7000'.length)),
      [
        '/servers/add?wait=false&node=b',
        '/servers/9000/logs?lines=1&node=b',
        '/services/web/deploy?node=b',
        '/deployments/3?node=b',
      ],
    );
  });

  it('has a method for everything that can be asked of the manager', async () => {
    const { client, sent } = recording();
    const { servers, agents, services, deployments, alerts, events, status, reload, liveState } = client;
    await servers.add();
    await servers.list();
    await servers.getTagged(9000);
    await servers.remove(9000);
    await servers.weigh(9000, 2);
    await servers.restart(9000);
    await servers.logs(9000);
    await agents.register({ agent: 'a', node: 'a', apps: [{ service: 'web', port: 1 }] });
    await agents.heartbeat({ agent: 'a', instances: [{ id: 'web-1', state: 'up' }] });
    await agents.deregister({ agent: 'a', instances: ['web-1'] });
    await services.list();
    await services.get('web');
    await services.patch('web', {});
    for (const verb of ['pause', 'resume', 'deploy', 'restart', 'rollback'] as const) await services[verb]('web');
    await services.scale('web', 1);
    await deployments.list();
    await deployments.get(1);
    await alerts.list();
    await alerts.ack('1');
    await alerts.silences();
    await alerts.silence({ match: {} });
    await alerts.endSilence(1);
    await alerts.channels();
    await alerts.addChannel({ name: 'chat', webhook: { url: 'https://example.org' } });
    await alerts.removeChannel('chat');
    await alerts.rules();
    await alerts.test();
    await events();
    await status();
    await client.nodes();
    await client.forgetNode('b');
    await reload();
    await liveState();
    const elsewhere = new Set(['/', '/docs', '/openapi.json', '/metrics', '/servers/get']); // for others, or doubled
    const missing = apiEndpoints(apiOptions()).filter(({ method, path }) => {
      const pattern = new RegExp(`^http://manager:7000${path.replace(':id', '[^/?]+')}(\\?|$)`);
      return !elsewhere.has(path) && !sent.some(({ url, request }) => request.method === method && pattern.test(url));
    });
    assert.deepEqual(
      missing.map(({ method, path }) => `${method} ${path}`),
      [],
    );
  });

  it('says what cannot be sent, without showing it', async () => {
    const { client, sent } = recording({ token: 'open\nsesame' });
    await assert.rejects(client.status(), { name: 'TypeError', message: /^token has characters/ });
    await assert.rejects(
      recording({}).client.services.pause('web', { idempotencyKey: 'ключ' }),
      /^TypeError: idempotencyKey/,
    );
    assert.deepEqual(sent, []);
  });

  it('asks the page it stands in when it has no address', async () => {
    const { client, sent } = recording({ baseUrl: '' });
    await client.servers.list();
    assert.equal(sent[0]?.url, '/servers/list');
  });
});

describe('a call that fails', () => {
  it('tells what the problem document says', async () => {
    await withApi(async ({ servers }) => {
      const error = await servers.add({ count: 0, weight: 0 }).catch((reason: unknown) => reason);
      assert.ok(error instanceof HeimdallApiError);
      const { status, type, title, code, errors, problem } = error;
      assert.deepEqual(
        [status, type, title, code],
        [400, 'urn:heimdall:error:invalid-request', 'Invalid request', 'INVALID_REQUEST'],
      );
      assert.deepEqual(
        errors.map(({ path }) => path),
        ['body.count', 'body.weight'],
      );
      assert.equal(error.message, problem['detail']);
    });
  });

  it('tells what somebody else on the way says, and when to come again', async () => {
    const answer = () =>
      Promise.resolve(new Response('bad gateway\n', { status: 502, headers: { 'Retry-After': '5' } }));
    await assert.rejects(recording({ fetch: answer }).client.status(), {
      name: 'HeimdallApiError',
      status: 502,
      message: 'bad gateway',
      retryAfter: 5,
    });
  });

  it('tells the address where nobody answers, and what to look at', async () => {
    const baseUrl = await withServer(
      () => {},
      async (url) => url.slice(0, -1),
    ); // nobody listens there any more
    await assert.rejects(createClient({ baseUrl }).status(), (error) => {
      assert.ok(error instanceof HeimdallConnectionError);
      assert.match(error.message, /^nobody answers on http:.*:\d+ \(.*ECONNREFUSED.*\); is heimdall running/);
      return error.url === `${baseUrl}/status`;
    });
  });

  it('tells that what answers is no manager', async () => {
    const page: RequestListener = (_request, response) => response.end('<!doctype html>');
    await withServer(page, async (baseUrl) => {
      const client = createClient({ baseUrl });
      await assert.rejects(client.status(), /is no server manager of heimdall/);
      await assert.rejects(drained(client.live()), /is no server manager of heimdall/);
    });
  });

  it("ends with the reason of its signal, or of the client's", async () => {
    const mute: RequestListener = () => {};
    await withServer(mute, async (baseUrl) => {
      for (const which of ['client', 'call']) {
        const ending = new AbortController();
        const client = createClient({ baseUrl, ...(which === 'client' ? { signal: ending.signal } : {}) });
        const other = new AbortController();
        const call = client.status(which === 'client' ? { signal: other.signal } : { signal: ending.signal });
        ending.abort(new Error(`the ${which} had enough`));
        await assert.rejects(call, new RegExp(`the ${which} had enough`));
      }
    });
  });
});

describe('a stream', () => {
  const head = { 'Content-Type': 'text/event-stream; charset=utf-8' };

  it('brings the messages of GET /live, and passes over those it does not know', async () => {
    const stream =
      '\ufeff: hello\n\nevent: state\ndata: {"revision": 7}\n\nevent: news\ndata: 1\n\nevent: tick\ndata: {"at": "ä"}\n\n';
    const bytes = Buffer.from(stream);
    const cut = bytes.indexOf(0xc3) + 1; // in the midst of a character
    const live: RequestListener = async (_request, response) => {
      response.writeHead(200, head).write(bytes.subarray(0, cut));
      await delay(10);
      response.write(bytes.subarray(cut));
    };
    await withServer(live, async (baseUrl) => {
      const messages = [];
      for await (const message of createClient({ baseUrl }).live()) {
        messages.push(message);
        if (message.event === 'tick') break;
      }
      assert.deepEqual(messages, [
        { event: 'state', data: { revision: 7 } },
        { event: 'tick', data: { at: 'ä' } },
      ]);
    });
  });

  it('just ends with its signal', async () => {
    const open: RequestListener = (_request, response) => void response.writeHead(200, head).write('data: x\n\n');
    await withServer(open, async (baseUrl) => {
      const ending = new AbortController();
      const messages = drained(createClient({ baseUrl }).live({ signal: ending.signal }));
      await delay(10);
      ending.abort();
      assert.deepEqual(await messages, []);
    });
  });

  it('closes its connection when nobody reads it any more', async () => {
    const closed = Promise.withResolvers<void>();
    const open: RequestListener = (_request, response) => {
      response.once('close', closed.resolve);
      response.writeHead(200, head).write('event: out\ndata: a line\n\n');
    };
    await withServer(open, async (baseUrl) => {
      for await (const line of createClient({ baseUrl }).servers.followLogs(9000)) {
        assert.deepEqual(line, { stream: 'out', text: 'a line' });
        break;
      }
      await closed.promise;
    });
  });

  it('that breaks off, or ends without its last event, is an error', async () => {
    for (const end of ['end', 'destroy'] as const) {
      const broken: RequestListener = async (_request, response) => {
        response.writeHead(200, head).write('event: step\ndata: {}\n\n');
        await delay(10);
        response[end]();
      };
      await withServer(broken, async (baseUrl) => {
        const { deployments } = createClient({ baseUrl });
        await assert.rejects(drained(deployments.follow(3)), {
          name: 'HeimdallConnectionError',
          message: /^the stream ended on/,
        });
      });
    }
  });

  it('that is refused tells why', async () => {
    await withApi(async ({ servers }) => {
      await assert.rejects(drained(servers.followLogs(1, { lines: -1 })), { name: 'HeimdallApiError', status: 400 });
    });
  });
});
