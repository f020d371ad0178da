import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { replaceProcesses } from '../../../cmd/heimdall/reload.ts';
import { ConfigSchema } from '../../../internal/config/schema.ts';

interface Answer {
  readonly status: number;
  readonly body: object;
}

describe('heimdall reload', () => {
  let asked: string[];
  let servers: Server[];
  /** What the manager answers. */
  let manager: Answer;

  beforeEach(() => {
    asked = [];
    servers = [];
  });
  afterEach(() => {
    for (const server of servers) server.close();
  });

  async function answering(name: string, answer: () => Answer): Promise<{ readonly port: number }> {
    const server = createServer((_, response) => {
      asked.push(name);
      const { status, body } = answer();
      response.writeHead(status, { Connection: 'close' }).end(JSON.stringify(body));
    });
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    return { port: typeof address === 'object' && address !== null ? address.port : 0 };
  }

  async function reloaded(): Promise<readonly object[]> {
    const config = ConfigSchema.parse({
      manager: await answering('manager', () => manager),
      proxy: { admin: await answering('proxy', () => ({ status: 200, body: { pid: 3, successor: 4 } })) },
    });
    const told: object[] = [];
    assert.deepEqual(await replaceProcesses(config, undefined, (result) => told.push(result)), told);
    return told;
  }

  it('has the manager replaced first, then the load balancer', async () => {
    manager = { status: 200, body: { pid: 1, successor: 2 } };
    assert.deepEqual(await reloaded(), [
      { process: 'server manager', pid: 1, successor: 2 },
      { process: 'load balancer', pid: 3, successor: 4 },
    ]);
    assert.deepEqual(asked, ['manager', 'proxy']);
  });

  it('leaves the load balancer as it is when the manager was not replaced', async () => {
    manager = { status: 502, body: { detail: 'it cannot' } };
    assert.deepEqual(await reloaded(), [
      { process: 'server manager', error: 'it cannot' },
      { process: 'load balancer', error: 'left as it is: the manager goes first, and was not replaced' },
    ]);
    assert.deepEqual(asked, ['manager']);
  });
});
