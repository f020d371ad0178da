import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { ask } from '../support/e2e-http.ts';
import { Load, MIXED } from '../support/e2e-load.ts';
import { FreshConnections, reload } from '../support/e2e-reload.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';
import { describeEngines } from '../support/engines.ts';

describeEngines('a load balancer that is replaced', () => {
  it('fails nobody: neither kept connections nor new ones, nor what takes long', async () => {
    await using system = await System.create();
    await system.up(2);
    const kept = new Load(system.proxy, 4, MIXED);
    const fresh = new FreshConnections(system.ports.proxy, 8);
    const socket = new WebSocket(`ws://127.0.0.1:${system.ports.proxy}/ws`);
    await once(socket, 'open');
    const heard: string[] = [];
    socket.on('message', (data) => heard.push(Buffer.isBuffer(data) ? data.toString() : ''));
    const slow = ask(`${system.proxy}/slow?ms=3000`);

    const pids: (number | undefined)[] = [];
    for (let times = 0; times < 2; times += 1) {
      await Promise.all([kept.more(100), fresh.more(200)]);
      const { code, pid, successor, error } = await reload(system, 'proxy');
      assert.deepEqual([code, error], [0, undefined]);
      if (times > 0) assert.equal(pid, pids.at(-1), 'the one that took over is replaced next');
      pids.push(successor);
      assert.equal((await system.proxyStatus()).pid, successor);
    }
    await Promise.all([kept.more(100), fresh.more(200)]);
    assert.equal((await slow).status, 200);
    socket.send('still there');
    await eventually('the echo', () => heard.includes('still there'));
    socket.close();
    await once(socket, 'close');
    await Promise.all([kept.stop(), fresh.stop()]);
    assert.deepEqual([...kept.failures, ...fresh.failures], []);
    await system.inRotation(2);
  });
});

describe('a load balancer that is replaced', () => {
  it('has its successor listen where and how the configuration says now, with another engine and other threads', async () => {
    await using system = await System.create();
    await system.up(2);
    const { proxy: port, admin, own } = system.ports;
    const fresh = new FreshConnections(port, 4);
    const section = { host: '127.0.0.1', port, admin: { port: admin }, requestLog: false };
    const steps = [{ engine: 'middleware' }, { engine: 'wire', threads: 3 }, { engine: 'wire', threads: 1 }];
    for (const change of steps) {
      await system.configure({ proxy: { ...section, ...change } });
      const { code, error } = await reload(system, 'proxy');
      assert.deepEqual([code, error], [0, undefined]);
      assert.equal((await system.proxyStatus()).engine, change.engine);
      await fresh.more(300); // on each socket that was handed over
    }
    await fresh.stop();
    assert.deepEqual(fresh.failures, []);
    const [other = 0] = own;
    await system.configure({ proxy: { ...section, port: other } });
    assert.equal((await reload(system, 'proxy')).code, 0);
    assert.equal((await ask(`http://127.0.0.1:${other}/`)).status, 200);
    await assert.rejects(system.get(), /ECONNREFUSED/);
  });

  it('answers once more on a connection that was idle, and has it closed then', async () => {
    await using system = await System.create();
    await system.up(2);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const before = await system.get('/', { agent });
    assert.equal((await reload(system, 'proxy')).code, 0);
    const last = await system.get('/', { agent });
    assert.deepEqual([last.status, last.localPort, last.headers.connection], [200, before.localPort, 'close']);
    const next = await system.get('/', { agent });
    assert.notEqual(next.localPort, before.localPort);
    agent.destroy();
  });

  it('has drains wait for what runs on it', async () => {
    await using system = await System.create();
    await system.up(2);
    const slow = system.get('/slow?ms=4000');
    await eventually('the request runs', async () => (await system.proxyStatus()).services[0]?.inFlight === 1);
    assert.equal((await reload(system, 'proxy')).code, 0);
    const removed = (await system.list()).map(({ port }) => system.remove(port));
    assert.equal((await slow).status, 200);
    for (const { status } of await Promise.all(removed)) assert.equal(status, 200);
  });

  it('is replaced by one at a time', async () => {
    await using system = await System.create();
    await system.up(2);
    const answers = await Promise.all([1, 2].map(() => ask(`${system.admin}/reload`, { method: 'POST' })));
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 409],
    );
  });

  it('goes on when its successor cannot start, and says why', async () => {
    await using system = await System.create();
    await system.up(2);
    const { pid } = await system.proxyStatus();
    await system.configure({ proxy: { port: 'none' } });
    const command = await ask(`${system.admin}/reload`, { method: 'POST' });
    assert.equal(command.status, 502);
    assert.match(command.body, /proxy\.port/);
    assert.equal((await system.proxyStatus()).pid, pid);
    assert.equal((await system.get()).status, 200);
  });

  it('ends with `heimdall up`, and is started again by it when it dies', async () => {
    await using system = await System.create();
    const up = await system.up(2);
    const { successor } = await reload(system, 'proxy');
    process.kill(successor ?? 0, 'SIGKILL');
    await eventually('another one', async () => (await system.proxyStatus()).pid !== successor);
    await system.inRotation(2);
    assert.equal((await up.stop())?.code, 0);
    await system.untilNothingRemains();
  });

  it('is started again when it dies, although its predecessor still serves a WebSocket, and ends with `heimdall up` like that one', async () => {
    await using system = await System.create();
    const up = await system.up(2);
    const predecessor = (await system.proxyStatus()).pid;
    const socket = new WebSocket(`ws://127.0.0.1:${system.ports.proxy}/ws`);
    await once(socket, 'open');
    await reload(system, 'proxy');
    const { successor } = await reload(system, 'proxy');
    process.kill(successor ?? 0, 'SIGKILL');
    await eventually('another one', async () => (await system.proxyStatus()).pid !== successor);
    await system.inRotation(2);
    process.kill(predecessor, 0);
    assert.equal(socket.readyState, WebSocket.OPEN);
    const stopped = up.stop();
    socket.close(); // else the end waits for it as long as for any request
    assert.equal((await stopped)?.code, 0);
    assert.deepEqual(await system.remains(), []);
  });

  it('leaves its knowledge of health to its successor: nothing is sent to what is down, spawned or declared', async () => {
    await using system = await System.create(({ own: [a] }) => ({
      services: [sampleService({ servers: [`127.0.0.1:${a}`] })],
    }));
    const [a = 0] = system.ports.own;
    await system.backend(a).printed('listens on');
    await system.up(3);
    const spawned = (await system.list()).find(({ pid }) => pid !== null);
    await Promise.all([spawned?.port, a].map((port) => ask(`http://127.0.0.1:${port}/switch?health=down`)));
    const isDown = async () => (await system.upstreams()).filter(({ health }) => health === 'unhealthy').length === 2;
    await eventually('both are known to be down', isDown);
    const load = new Load(system.proxy, 4);
    const fresh = new FreshConnections(system.ports.proxy, 2);
    await load.more(100);
    const [first, second] = [spawned?.id ?? '', `backend-${a}`];
    const counts = [load.from(first), load.from(second)];
    assert.equal((await reload(system, 'proxy')).code, 0);
    await Promise.all([load.more(200), fresh.more(100)]);
    await Promise.all([load.stop(), fresh.stop()]);
    assert.deepEqual([load.from(first), load.from(second)], counts);
    assert.deepEqual([...load.failures, ...fresh.failures], []);
    assert.deepEqual(
      [...fresh.servers].filter((name) => name === first || name === second),
      [],
    );
  });

  it('leaves no successor behind when it is to end while that one starts', async () => {
    await using system = await System.create();
    const up = await system.up(2);
    const reloading = [system.admin, system.api].map((url) =>
      ask(`${url}/reload`, { method: 'POST' }).catch(() => null),
    );
    assert.equal((await up.stop())?.code, 0);
    assert.deepEqual(await system.remains(), []);
    await Promise.all(reloading);
  });

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
    await ask(`http://127.0.0.1:${b}/switch?delay=500`);
    for (let times = 0; times < 10; times += 1) await system.get();
    const known = await upstreams(system);
    const { successor } = await reload(system, 'proxy');
    try {
      const inherited = await upstreams(system);
      for (const { id, latencyMs } of known) {
        const after = inherited.find((upstream) => upstream.id === id)?.latencyMs ?? 0;
        assert.ok(latencyMs !== null && after > latencyMs / 2, `${id} had ${latencyMs} ms, and has ${after}`);
      }
      for (let times = 0; times < 6; times += 1) assert.equal(await system.answering(), `backend-${a}`);
      await eventually('the first one has ended', () => !first.running);
    } finally {
      process.kill(successor ?? 0, 'SIGTERM');
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
