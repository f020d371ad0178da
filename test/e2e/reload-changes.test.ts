import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { ask } from '../support/e2e-http.ts';
import { Load } from '../support/e2e-load.ts';
import { FreshConnections, replace } from '../support/e2e-reload.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

describe('the successor of a load balancer', () => {
  let system: System;
  before(async () => {
    system = await System.create(({ own: [a] }) => ({
      services: [sampleService({ servers: [`127.0.0.1:${a}`], panicThreshold: 0 })],
    }));
    await system.backend(system.ports.own[0] ?? 0).printed('listens on');
    await system.up(3);
  });
  after(() => system[Symbol.asyncDispose]());

  it('leaves its knowledge of health to its successor: nothing is sent to what is down, spawned or declared', async () => {
    const [a = 0] = system.ports.own;
    const spawned = (await system.list()).find(({ pid }) => pid !== null);
    await Promise.all([spawned?.port, a].map((port) => ask(`http://127.0.0.1:${port}/switch?health=down`)));
    const isDown = async () => (await system.upstreams()).filter(({ health }) => health === 'unhealthy').length === 2;
    await eventually('both are known to be down', isDown);
    const load = new Load(system.proxy, 4);
    const fresh = new FreshConnections(system.ports.proxy, 2);
    await load.more(100);
    const [first, second] = [spawned?.id ?? '', `backend-${a}`];
    const counts = [load.from(first), load.from(second)];
    await replace(system, 'proxy');
    await Promise.all([load.more(100), fresh.more(50)]);
    await Promise.all([load.stop(), fresh.stop()]);
    assert.deepEqual([load.from(first), load.from(second)], counts);
    assert.deepEqual([...load.failures, ...fresh.failures], []);
    assert.deepEqual(
      [...fresh.servers].filter((name) => name === first || name === second),
      [],
    );
  });

  it('listens where and how the configuration says now, with another engine and other threads', async () => {
    const { proxy: port, admin, own } = system.ports;
    const fresh = new FreshConnections(port, 4);
    const section = { host: '127.0.0.1', port, admin: { port: admin }, accessLog: null };
    const steps = [{ engine: 'middleware' }, { engine: 'wire', threads: 3 }, { engine: 'wire', threads: 1 }];
    for (const change of steps) {
      await system.configure({ proxy: { ...section, ...change } });
      await replace(system, 'proxy');
      assert.equal((await system.proxyStatus()).engine, change.engine);
      await fresh.more(100); // on each socket that was handed over
    }
    await fresh.stop();
    assert.deepEqual(fresh.failures, []);
    const other = own.at(-1);
    await system.configure({ proxy: { ...section, port: other } });
    await replace(system, 'proxy');
    assert.equal((await ask(`http://127.0.0.1:${other}/`)).status, 200);
    await assert.rejects(system.get(), /ECONNREFUSED/);
  });
});

describe('the successor of a load balancer alone', () => {
  it('leaves what it has learned of latencies to its successor, which picks accordingly from the first request on', async () => {
    await using system = await System.create(({ own: [a, b] }) => ({
      services: [
        {
          name: 'web',
          servers: [`127.0.0.1:${a}`, `127.0.0.1:${b}`],
          algorithm: 'least-time',
          healthCheck: { interval: '10m', timeout: '1s' },
        },
      ],
    }));
    const [a = 0, b = 0] = system.ports.own;
    system.backend(a);
    await system.backend(b).printed('listens on');
    const first = system.start('load-balancer');
    await system.inRotation(2);
    await ask(`http://127.0.0.1:${b}/switch?delay=3000`);
    for (let times = 0; times < 10; times += 1) await system.get();
    const known = await upstreams(system);
    const { successor } = await replace(system, 'proxy');
    try {
      const inherited = await upstreams(system);
      for (const { id, latencyMs } of known) {
        const after = inherited.find((upstream) => upstream.id === id)?.latencyMs ?? 0;
        assert.ok(latencyMs !== null && after > latencyMs / 2, `${id} had ${latencyMs} ms, and has ${after}`);
      }
      assert.equal(await system.answering(), `backend-${a}`);
      await eventually('the first one has ended', () => !first.running);
    } finally {
      process.kill(successor, 'SIGTERM');
      await eventually(
        'the successor has ended',
        async () => !(await system.remains()).includes(`process ${successor}`),
      );
    }
  });
});

const UpstreamsSchema = z.array(z.object({ id: z.string(), latencyMs: z.number().nullable() }));

async function upstreams(system: System) {
  return UpstreamsSchema.parse(JSON.parse((await ask(`${system.admin}/upstreams`)).body));
}
