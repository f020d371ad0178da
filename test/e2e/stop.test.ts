import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeEngines } from '../support/engines.ts';
import { System } from '../support/e2e-system.ts';
import {
  eventually,
  onHeads,
  parseMessage,
  RawBackend,
  type RawConnection,
  rawClient,
  requestText,
} from '../support/proxy-raw.ts';

const CLIENTS = 24;
const KEEP = ['Connection: keep-alive'];
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function clients(port: number, line: string): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: CLIENTS }, () => rawClient(port, requestText(line, KEEP))));
}

describeEngines('a load balancer that is told to stop', () => {
  it('takes nobody in, sends idle clients away, finishes every request that runs, and is gone', async () => {
    const held: RawConnection[] = [];
    const backend = await RawBackend.start((connection) => {
      onHeads(connection, (head) => {
        if (head.startsWith('GET /held')) held.push(connection);
        else connection.write(OK);
      });
    });
    await using system = await System.create(() => ({
      proxy: { threads: 4 },
      services: [{ name: 'web', servers: [`127.0.0.1:${backend.port}`], healthCheck: { timeout: '3s' } }],
    }));
    const { proxy: port } = system.ports;
    const loadBalancer = system.start('load-balancer');
    await loadBalancer.isReady();
    await system.inRotation(1);

    const idle = await clients(port, 'GET /');
    await Promise.all(idle.map((client) => client.receives('\r\n\r\nok')));
    const running = await clients(port, 'GET /held');
    await eventually('all run', () => held.length === CLIENTS);
    loadBalancer.kill('SIGTERM');
    await eventually('the idle ones are sent away', () => idle.every(({ ended, closed }) => ended || closed));
    for (const client of idle) client.close();
    await assert.rejects(rawClient(port), { code: 'ECONNREFUSED' });
    for (const connection of held) connection.write(OK);
    for (const client of running) {
      const { status, body, all } = parseMessage(await client.rest());
      assert.deepEqual([status, body, all('connection')], [200, 'ok', ['close']]);
      client.close();
    }
    assert.deepEqual(await loadBalancer.exited, { code: 0, signal: null });
    await backend.stop();
  });
});
