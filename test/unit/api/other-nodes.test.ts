import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Manager } from '../../../internal/api/manager.ts';
import { HeimdallError } from '../../../internal/model/errors.ts';
import { api, FakeManager, fakeNodes, instance } from './fake-manager.ts';

const TOKEN = 'a-token-of-enough-length';
const KNOWN = { Authorization: `Bearer ${TOKEN}` };

interface Problem {
  readonly code: string;
  readonly detail: string;
}

/** The managers of two nodes: a, which is called, and b. */
class TwoNodes {
  a = new FakeManager();
  b = new FakeManager();
  /** What a knows of others. */
  known: Partial<Manager['nodes']> = {};
  urlOfB = '';
  urlOfA = '';
  #apis = this.#newApis();
  readonly #servers: Server[] = [];

  async open(): Promise<void> {
    this.urlOfB = await this.#serve('b');
    this.urlOfA = await this.#serve('a');
  }

  /** Fresh fakes, of which a reaches b. */
  renew(a: Partial<Manager> = {}, b: Partial<Manager> = {}): void {
    const peer = async (node: string) => (node === 'b' ? { node, url: this.urlOfB } : null);
    this.a = new FakeManager({ nodes: fakeNodes({ self: 'a', peer, ...this.known }), ...a });
    this.b = new FakeManager({ nodes: fakeNodes({ self: 'b' }), ...b });
    this.#apis = this.#newApis();
  }

  call(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.urlOfA}${path}`, { ...init, headers: { ...KNOWN, ...init.headers } });
  }

  close(): void {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }

  #newApis() {
    const token = () => TOKEN;
    return { a: api({ manager: this.a, token }), b: api({ manager: this.b, token }) };
  }

  async #serve(node: 'a' | 'b'): Promise<string> {
    const server = createServer((request, response) => this.#apis[node](request, response));
    this.#servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}

describe('calls for another node', () => {
  const nodes = new TwoNodes();
  before(() => nodes.open());
  after(() => nodes.close());
  beforeEach(() => {
    nodes.known = {};
    nodes.renew();
  });

  it('reach its manager as they came, and their answers come back as they are', async () => {
    const response = await nodes.call('/servers/add?node=b', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Heimdall-Actor': 'ann', 'Idempotency-Key': 'k1' },
      body: JSON.stringify({ service: 'web', count: 2 }),
    });
    assert.equal(response.status, 201);
    assert.deepEqual(nodes.a.calls, []);
    assert.deepEqual(nodes.b.calls, [['add', { service: 'web', count: 2, wait: true }]]);
    const [audit] = nodes.b.audits;
    assert.match(audit?.message ?? '', /^ann added 2 instances of web \(from 127\.0\.0\.1, by node a\)$/);
    assert.equal(audit?.data['idempotencyKey'], 'k1');
  });

  it('need the token there as well', async () => {
    const response = await fetch(`${nodes.urlOfA}/servers/add?node=b`, { method: 'POST' });
    assert.equal(response.status, 401);
    assert.deepEqual(nodes.b.calls, []);
  });

  it('of pages are judged by the manager that is called', async () => {
    const own = await nodes.call('/servers/9000?node=b', { headers: { Origin: nodes.urlOfA } });
    assert.equal(own.status, 200);
    const foreign = await nodes.call('/servers/9000?node=b', { headers: { Origin: 'http://evil.example' } });
    assert.equal(foreign.status, 403);
  });

  it('go to the node that has the instance', async () => {
    nodes.known = { keeperOf: async (name) => (name === '9000' ? 'b' : null) };
    nodes.renew();
    const etag = (await nodes.call('/servers/get?port=9000')).headers.get('ETag');
    assert.ok(etag);
    const unchanged = await nodes.call('/servers/get?port=9000', { headers: { 'If-None-Match': etag } });
    assert.equal(unchanged.status, 304);
    assert.equal((await nodes.call('/servers/remove?port=9000', { method: 'DELETE' })).status, 200);
    assert.equal((await nodes.call('/servers/9000/restart?wait=false', { method: 'POST' })).status, 202);
    assert.deepEqual(nodes.a.calls, []);
    assert.deepEqual(
      nodes.b.calls.map(([method]) => method),
      ['instances.get', 'instances.get', 'remove', 'instances.restart'],
    );
    await nodes.call('/servers/web-9001');
    assert.deepEqual(nodes.a.calls, [['instances.get', 'web-9001']]);
  });

  it('are streams that begin before anything has happened', async () => {
    const gone = new AbortController();
    const logs: Manager['logs'] = async (id, query) => {
      const { logs } = await new FakeManager().logs(id, query);
      return { logs, gone: gone.signal };
    };
    nodes.renew({}, { logs });
    const response = await nodes.call('/servers/web-9000/logs?node=b&follow=true');
    assert.equal(response.headers.get('Content-Type'), 'text/event-stream; charset=utf-8');
    gone.abort();
    assert.match(await response.text(), /^event: end\n/m);
  });

  // With "Expect: 100-continue" the library says nothing of its requests: the mark would be missing, and the call go round and round.
  it('are marked whatever the client expects', async () => {
    const call = request(`${nodes.urlOfA}/servers/add?node=b`, {
      method: 'POST',
      headers: {
        ...KNOWN,
        Expect: '100-continue',
        'Content-Type': 'application/json',
        'Heimdall-Carried-For': '10.9.9.9',
      },
    });
    call.once('continue', () => call.end('{}'));
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    response.resume();
    assert.equal(response.statusCode, 201);
    assert.match(nodes.b.audits[0]?.message ?? '', /\(from 127\.0\.0\.1, by node a\)$/);
  });

  it('are not carried with a body that nobody takes', async () => {
    const headers = { 'Content-Type': 'application/json' };
    const response = await nodes.call('/servers/add?node=b', { method: 'POST', headers, body: ' '.repeat(500_000) });
    assert.deepEqual([response.status, ((await response.json()) as Problem).code], [413, 'BODY_TOO_LARGE']);
    assert.deepEqual([...nodes.a.calls, ...nodes.b.calls], []);
  });

  it('that nobody carries are refused as what they are', async () => {
    nodes.known = {
      peer: async (node) => {
        throw new HeimdallError('NODE_AWAY', `node ${node} is away`);
      },
    };
    nodes.renew();
    const away = await nodes.call('/servers/add?node=b', { method: 'POST' });
    assert.deepEqual([away.status, away.headers.get('Retry-After')], [503, '5']);
    const odd = await nodes.call('/servers/add?node=B%20b', { method: 'POST' });
    assert.deepEqual([odd.status, ((await odd.json()) as Problem).code], [400, 'INVALID_REQUEST']);
  });

  it('show an instance from the registry when its node is away', async () => {
    nodes.known = {
      keeperOf: async () => 'b',
      peer: async () => {
        throw new HeimdallError('NODE_AWAY', 'node b is away');
      },
    };
    nodes.renew();
    assert.equal((await nodes.call('/servers/get?port=9000')).status, 200);
    assert.equal((await nodes.call('/servers/9000/logs')).status, 503);
    assert.equal((await nodes.call('/servers/remove?port=9000', { method: 'DELETE' })).status, 503);
  });

  it('that arrive at the wrong node do not go round', async () => {
    nodes.renew({}, { nodes: fakeNodes({ self: 'c', peer: async (node) => ({ node, url: nodes.urlOfA }) }) });
    const response = await nodes.call('/servers/add?node=b', { method: 'POST' });
    const { code, detail } = (await response.json()) as Problem;
    assert.deepEqual([response.status, code], [508, 'NODE_LOOP']);
    assert.match(detail, /manager\.url of b/);
    assert.deepEqual(nodes.b.calls, []);
  });

  it('tell whether the other manager may have begun with them', async () => {
    const deaf = createServer((request) => request.socket.destroy()).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    const url = `http://127.0.0.1:${(deaf.address() as AddressInfo).port}`;
    nodes.known = { peer: async (node) => ({ node, url }) };
    nodes.renew();
    const broken = await nodes.call('/servers/add?node=b', { method: 'POST' });
    assert.deepEqual([broken.status, ((await broken.json()) as Problem).code], [502, 'NODE_FAILED']);
    deaf.close();
    await once(deaf, 'close');
    const refused = await nodes.call('/servers/add?node=b', { method: 'POST' });
    assert.deepEqual([refused.status, ((await refused.json()) as Problem).code], [503, 'NODE_AWAY']);
  });
});

describe('instances that are to be added anywhere', () => {
  const nodes = new TwoNodes();
  const spread = {
    place: async () =>
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
  };
  before(() => nodes.open());
  after(() => nodes.close());

  it('are spread, and told with their nodes', async () => {
    nodes.known = spread;
    nodes.renew(
      { add: async () => [instance(9000, { node: 'a' })] },
      { add: async () => [instance(9000, { node: 'b' }), instance(9001, { node: 'b' })] },
    );
    const response = await nodes.call('/servers/add', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"count":3}',
    });
    const added = (await response.json()) as { readonly port: number; readonly node: string }[];
    assert.deepEqual(
      added.map(({ port, node }) => `${node}:${port}`),
      ['a:9000', 'b:9000', 'b:9001'],
    );
    assert.deepEqual(nodes.b.calls, [['add', { service: 'web', count: 2, wait: true }]]);
  });

  it('are all taken away again when one node fails', async () => {
    nodes.known = spread;
    const fail = async () => {
      throw new HeimdallError('NO_FREE_PORT', 'no free port in 9000-9001');
    };
    nodes.renew({ add: async () => [instance(9000, { node: 'a' })] }, { add: fail });
    const response = await nodes.call('/servers/add', { method: 'POST' });
    const { code, detail } = (await response.json()) as Problem;
    assert.deepEqual([response.status, code], [503, 'NO_FREE_PORT']);
    assert.match(detail, /^none of 3 instances on 2 nodes was added: node b: no free port/);
    assert.deepEqual(nodes.a.calls.at(-1), ['remove', 'web-9000', { force: false }]);
  });
});

describe('the number of instances on several nodes', () => {
  const nodes = new TwoNodes();
  before(() => nodes.open());
  after(() => nodes.close());

  async function patch(path: string, body: object): Promise<number> {
    const headers = { 'Content-Type': 'application/json' };
    return (await nodes.call(path, { method: 'PATCH', headers, body: JSON.stringify(body) })).status;
  }

  it('is shared out, and what holds everywhere is written once', async () => {
    nodes.known = {
      level: async () =>
        new Map([
          ['a', 2],
          ['b', 4],
        ]),
    };
    nodes.renew();
    assert.equal(await patch('/services/web', { instances: 6, algorithm: 'least-time' }), 200);
    const changes = [...nodes.a.calls, ...nodes.b.calls].filter(([method]) => method === 'services.patch');
    assert.deepEqual(changes, [
      ['services.patch', 'web', { instances: 2, algorithm: 'least-time' }],
      ['services.patch', 'web', { instances: 4 }],
    ]);
    assert.match(nodes.a.audits[0]?.message ?? '', /scaled web from 0 to 6, on 2 nodes/);
  });

  it('is that of one node when it is named', async () => {
    nodes.known = {
      level: async () =>
        new Map([
          ['a', 2],
          ['b', 4],
        ]),
    };
    nodes.renew();
    assert.equal(await patch('/services/web?node=b', { instances: 3 }), 200);
    assert.deepEqual(nodes.a.calls, []);
    assert.deepEqual(nodes.b.calls[0], ['services.patch', 'web', { instances: 3 }]);
  });

  it('names the nodes that could not be changed', async () => {
    nodes.known = {
      level: async () =>
        new Map([
          ['a', 2],
          ['b', 4],
        ]),
      peer: async () => {
        throw new HeimdallError('NODE_AWAY', 'node b is away');
      },
    };
    nodes.renew();
    assert.equal(await patch('/services/web', { instances: 6 }), 502);
  });
});
