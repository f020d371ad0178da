import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { managerLookups } from '../../../../cmd/heimdall/completion/lookups.ts';

async function told(
  answer: RequestListener,
  patienceMs = 30_000,
): Promise<{ services: string[]; instances: string[]; nodes: string[] }> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const lookups = managerLookups(['--manager', `http://127.0.0.1:${port}`], { HEIMDALL_TOKEN: 'secret' }, patienceMs);
    const found = [await lookups.services(), await lookups.instances(), await lookups.nodes()];
    const [services = [], instances = [], nodes = []] = found.map((each) => each.map(({ value }) => value));
    return { services, instances, nodes };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('what a manager tells for completion', () => {
  it('is the names of its services and nodes, and ids and ports of its instances', async () => {
    const found = await told(({ url, headers }, response) => {
      assert.equal(headers.authorization, 'Bearer secret');
      const instance = { id: 'web-1', port: 9_001, service: 'web', status: 'running' };
      const answers: Readonly<Record<string, object>> = {
        '/services': { name: 'web', algorithm: 'least-time' },
        '/nodes': { name: 'b', address: '10.0.0.6', alive: false },
      };
      response.end(JSON.stringify([answers[url ?? ''] ?? instance]));
    });
    assert.deepEqual(found, { services: ['web'], instances: ['web-1', '9001'], nodes: ['b'] });
  });

  it('is nothing when it refuses, or takes too long', async () => {
    const refused = await told((_request, response) => {
      response.statusCode = 401;
      response.end('[{"name": "web"}]');
    });
    assert.deepEqual(refused, { services: [], instances: [], nodes: [] });
    assert.deepEqual(await told(() => {}, 50), { services: [], instances: [], nodes: [] });
  });
});
