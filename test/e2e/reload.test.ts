import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { after, before, it } from 'node:test';
import Database from 'better-sqlite3';
import { WebSocket } from 'ws';
import { Agent } from '../../pkg/sockets/http.ts';
import { ask } from '../support/e2e-http.ts';
import { Load, MIXED } from '../support/e2e-load.ts';
import { FreshConnections, reload, replace } from '../support/e2e-reload.ts';
import { System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';
import { describeEngines } from '../support/engines.ts';

/** How often: who was replaced by whom is no matter of the engine. */
const TIMES = { wire: 2, middleware: 1 } as const;

describeEngines('a load balancer that is replaced', (engine) => {
  let system: System;
  before(async () => {
    system = await System.create();
    await system.up(2);
  });
  after(() => system[Symbol.asyncDispose]());

  it('fails nobody: neither kept connections nor new ones, nor what takes long', async () => {
    const kept = new Load(system.proxy, 2, MIXED);
    const fresh = new FreshConnections(system.ports.proxy, 4);
    const socket = new WebSocket(`ws://127.0.0.1:${system.ports.proxy}/ws`);
    await once(socket, 'open');
    const heard: string[] = [];
    socket.on('message', (data) => heard.push(Buffer.isBuffer(data) ? data.toString() : ''));
    const slow = ask(`${system.proxy}/slow?ms=3000`);

    const pids: (number | undefined)[] = [];
    for (let times = 0; times < TIMES[engine]; times += 1) {
      await Promise.all([kept.more(50), fresh.more(100)]);
      const { code, pid, successor, error } = await reload(system, 'proxy');
      assert.deepEqual([code, error], [0, undefined]);
      if (times > 0) assert.equal(pid, pids.at(-1), 'the one that took over is replaced next');
      pids.push(successor);
      assert.equal((await system.proxyStatus()).pid, successor);
    }
    await Promise.all([kept.more(50), fresh.more(100)]);
    assert.equal((await slow).status, 200);
    socket.send('still there');
    await eventually('the echo', () => heard.includes('still there'));
    socket.close();
    await once(socket, 'close');
    await Promise.all([kept.stop(), fresh.stop()]);
    assert.deepEqual([...kept.failures, ...fresh.failures], []);
    await system.inRotation(2);
  });

  if (engine !== 'wire') return; // all else is no matter of the engine

  it('answers once more on a connection that was idle, and has it closed then', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const before = await system.get('/', { agent });
    await replace(system, 'proxy');
    const last = await system.get('/', { agent });
    assert.deepEqual([last.status, last.localPort, last.headers.connection], [200, before.localPort, 'close']);
    const next = await system.get('/', { agent });
    assert.notEqual(next.localPort, before.localPort);
    agent.destroy();
  });

  it('is replaced by one at a time', async () => {
    const answers = await Promise.all([1, 2].map(() => ask(`${system.admin}/reload`, { method: 'POST' })));
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 409],
    );
  });

  it('goes on when its successor cannot start, and says why', async () => {
    const { pid } = await system.proxyStatus();
    const before = await readFile(system.configPath, 'utf8');
    await system.configure({ proxy: { port: 'none' } });
    const command = await ask(`${system.admin}/reload`, { method: 'POST' });
    assert.equal(command.status, 502);
    assert.match(command.body, /proxy\.port/);
    assert.equal((await system.proxyStatus()).pid, pid);
    assert.equal((await system.get()).status, 200);
    await system.writeConfig(before);
  });

  it('is replaced while another program has the registry locked, by one that knows the instances', async () => {
    const other = new Database(system.registryPath, { timeout: 10_000 });
    other.exec('BEGIN EXCLUSIVE');
    assert.equal((await reload(system, 'proxy')).code, 0);
    assert.equal((await system.get()).status, 200);
    other.exec('ROLLBACK');
    other.close();
    const [first] = await system.list();
    assert.equal((await system.remove(first?.port ?? 0)).status, 200);
    assert.equal((await system.add()).status, 201);
    await system.inRotation(2);
  });

  it('goes on with what was ejected before it', async () => {
    await Promise.all(Array.from({ length: 30 }, () => system.get('/fail?status=503')));
    const ejected = async () =>
      (await system.upstreams()).filter(({ health }) => health === 'ejected').map(({ id }) => id);
    await eventually('one of them is out', async () => (await ejected()).length === 1);
    const [id = ''] = await ejected();
    const listed = async () => (await ask(`${system.api}/servers/list`)).body;
    await eventually('the manager shows it', async () => (await listed()).includes('"health": "ejected"'));
    const events = async () => (await ask(`${system.api}/events`)).body;
    await eventually('there is an event', async () => (await events()).includes('"instance.ejected"'));
    await replace(system, 'proxy');
    assert.deepEqual(await ejected(), [id]);
    assert.ok(Number((await ask(`${system.admin}/upstreams`)).body.match(/"times": (\d+)/)?.[1]) > 0);
  });

  it('has drains wait for what runs on it', async () => {
    const slow = system.get('/slow?ms=4000');
    await eventually('the request runs', async () => (await system.proxyStatus()).services[0]?.inFlight === 1);
    await replace(system, 'proxy');
    const removed = (await system.list()).map(({ port }) => system.remove(port));
    assert.equal((await slow).status, 200);
    for (const { status } of await Promise.all(removed)) assert.equal(status, 200);
  });
});
