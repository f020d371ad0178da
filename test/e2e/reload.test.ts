import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { ask } from '../support/e2e-http.ts';
import { Load, MIXED } from '../support/e2e-load.ts';
import { System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';
import { describeEngines } from '../support/engines.ts';

const ReloadSchema = z.array(
  z.object({
    process: z.string(),
    pid: z.int().optional(),
    successor: z.int().optional(),
    error: z.string().optional(),
  }),
);

/** `heimdall reload`: what it says. */
async function reload(system: System, only: 'proxy' | 'manager') {
  const command = system.heimdall('reload', '--config', system.configPath, '--only', only, '--json');
  const { code } = await command.exited;
  const [result] = ReloadSchema.parse(JSON.parse(command.output.slice(command.output.indexOf('['))));
  return { code, ...result };
}

/** Between two connections of one client, in milliseconds: leaves the machine to those who start processes meanwhile. */
const PAUSE_MS = 3;

/** Connections that are used once, many at a time. */
class FreshConnections {
  answers = 0;
  readonly failures: string[] = [];
  readonly #port: number;
  readonly #clients: readonly Promise<void>[];
  #isEnding = false;

  constructor(port: number, clients: number) {
    this.#port = port;
    this.#clients = Array.from({ length: clients }, () => this.#run());
  }

  async more(count: number): Promise<void> {
    const target = this.answers + count;
    await eventually(`${count} more answers`, () => this.answers >= target || this.failures.length > 0);
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#clients);
  }

  async #run(): Promise<void> {
    while (!this.#isEnding) {
      const socket = connect({ port: this.#port, host: '127.0.0.1' });
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      const answer = await text(socket).catch(String);
      if (answer.startsWith('HTTP/1.1 200 ')) this.answers += 1;
      else this.failures.push(answer.slice(0, 100));
      await sleep(PAUSE_MS);
    }
  }
}

describeEngines('a load balancer that is replaced', () => {
  it('fails nobody: neither kept connections nor new ones, nor what takes long', async () => {
    await using system = await System.create();
    await system.up(2);
    const kept = new Load(system.proxy, 2, MIXED);
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

  it('leaves what it has learned to its successor: nobody sends requests to an instance that is known to be down', async () => {
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
    await ask(`http://127.0.0.1:${a}/switch?health=down&delay=0`);
    await ask(`http://127.0.0.1:${b}/switch?delay=40`);
    for (let times = 0; times < 10; times += 1) await system.get();
    const known = await upstreams(system);
    const { successor } = await reload(system, 'proxy');
    try {
      const inherited = await upstreams(system);
      for (const { id, latencyMs } of known) {
        const after = inherited.find((upstream) => upstream.id === id)?.latencyMs ?? 0;
        assert.ok(latencyMs !== null && after > latencyMs / 2, `${id} had ${latencyMs} ms, and has ${after}`);
      }
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

describe('a manager that is replaced', () => {
  it('keeps its instances, and nobody who calls its API is refused', async () => {
    await using system = await System.create();
    await system.up(2);
    const before = await system.list();
    const failures: string[] = [];
    const ending = new AbortController();
    let answers = 0;
    const calling = (async () => {
      while (!ending.signal.aborted) {
        await system.list().then(
          () => (answers += 1),
          (error: unknown) => failures.push(String(error)),
        );
      }
    })();
    for (let times = 0; times < 2; times += 1) {
      const { code, error, successor } = await reload(system, 'manager');
      assert.deepEqual([code, error], [0, undefined]);
      await eventually('the successor answers', async () => (await system.managerStatus()).pid === successor);
    }
    ending.abort();
    await calling;
    assert.deepEqual(failures, []);
    assert.ok(answers > 10);
    assert.deepEqual(await system.list(), before, 'the same processes');
    assert.equal((await system.add()).status, 201);
    assert.equal((await system.remove(before[0]?.port ?? 0)).status, 200);
  });

  it('goes on when its successor cannot start', async () => {
    await using system = await System.create();
    await system.up(2);
    const { pid } = await system.managerStatus();
    await system.writeConfig('{');
    const answer = await ask(`${system.api}/reload`, { method: 'POST' });
    assert.equal(answer.status, 502);
    assert.match(answer.body, /this one goes on/);
    assert.equal((await system.managerStatus()).pid, pid);
    assert.equal((await system.add()).status, 201);
  });
});

describe('heimdall up --keep', () => {
  it('leaves the instances running, and the next start adopts them', async () => {
    await using system = await System.create();
    const first = system.heimdall('up', '--keep', '--config', system.configPath);
    await first.printed('Ctrl-C stops heimdall; the instances run on.');
    await system.inRotation(2);
    const before = await system.list();
    assert.equal((await first.stop())?.code, 0);
    for (const { pid } of before) process.kill(pid ?? 0, 0);
    const second = system.heimdall('up', '--config', system.configPath);
    await second.printed('Ctrl-C drains and stops everything.');
    await system.inRotation(2);
    assert.deepEqual(await system.list(), before);
    assert.equal((await second.stop())?.code, 0);
    await system.untilNothingRemains();
  });
});

const UpstreamsSchema = z.array(z.object({ id: z.string(), latencyMs: z.number().nullable() }));

async function upstreams(system: System) {
  return UpstreamsSchema.parse(JSON.parse((await ask(`${system.admin}/upstreams`)).body));
}
