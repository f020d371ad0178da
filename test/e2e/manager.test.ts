import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { isPortFree } from '../../internal/server/bind-probe.ts';
import { Load } from '../support/e2e-load.ts';
import { livesIn, mainOf, type StartedProcess } from '../support/e2e-process.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

describe('the server manager', () => {
  let system: System;
  let manager: StartedProcess;
  before(async () => {
    system = await System.create();
    ({ manager } = await system.startBoth(2));
  });
  after(() => system[Symbol.asyncDispose]());

  /** Another manager after the present one has ended. */
  async function startAgain(...args: readonly string[]): Promise<void> {
    manager = system.start('server-manager', ...args);
    await manager.isReady();
  }

  it('adopts the living instances after it was killed, and no request fails meanwhile', async () => {
    const instances = await system.list();
    const load = new Load(system.proxy, 5);
    try {
      manager.kill('SIGKILL');
      await manager.exited;
      await load.more(50);
      await startAgain();
      assert.deepEqual(await system.list(), instances);
      for (const { id } of instances) await load.reaches(id);
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.failures, []);
    await system.inRotation(2);
  });

  it('starts an instance again that died while there was no manager', async () => {
    const [first, second] = await system.list();
    manager.kill('SIGKILL');
    await manager.exited;
    assert.ok(first?.pid && second);
    process.kill(first.pid, 'SIGKILL');
    await startAgain();
    await eventually('it runs again', async () => (await system.list())[0]?.status === 'running');
    const instances = await system.list();
    assert.deepEqual(
      instances.map(({ id, restarts }) => [id, restarts]),
      [
        [first.id, 1],
        [second.id, 0],
      ],
    );
    assert.notEqual(instances[0]?.pid, first.pid);
    assert.equal(instances[1]?.pid, second.pid);
  });

  it('leaves the instances running with --keep, for the next one to adopt', async () => {
    manager.kill('SIGKILL');
    await manager.exited;
    await startAgain('--keep');
    const instances = await system.list();
    const load = new Load(system.proxy, 5);
    try {
      assert.deepEqual(await manager.stop(), { code: 0, signal: null });
      await load.more(50);
      await startAgain();
      assert.deepEqual(await system.list(), instances);
      for (const { id } of instances) await load.reaches(id);
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.failures, []);
  });

  it('refuses to run beside another manager on the same registry', async () => {
    const instances = await system.list();
    const second = system.start('server-manager');
    assert.deepEqual(await second.exited, { code: 1, signal: null });
    assert.match(second.output, /^heimdall: Another manager \(pid \d+\) runs on the registry .*registry\.db/);
    assert.ok(second.output.includes(`(pid ${manager.pid})`) && second.output.includes(system.registryPath));
    assert.deepEqual(await system.list(), instances);
  });

  it('ends every instance at SIGTERM, while the load balancer goes on', async () => {
    const pids = (await system.list()).flatMap(({ pid }) => pid ?? []);
    assert.equal(pids.length, 2);
    assert.deepEqual(await manager.stop(), { code: 0, signal: null });
    for (const pid of pids) assert.equal(livesIn(pid, system.dir), false, `${pid} still runs`);
    await eventually('no upstream is left', async () => (await system.upstreams()).length === 0);
    const answer = await system.get();
    assert.equal(answer.status, 503);
    assert.ok(Number(answer.headers['retry-after']) > 0);
  });
});

const ProblemSchema = z.object({
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  logTail: z.array(z.string()).default([]),
});

describe('POST /servers/add with a command that does not work', () => {
  const readiness = { interval: '50ms', deadline: '30s' };
  const broken = (name: string, ...command: readonly string[]) =>
    sampleService({ name, command, instances: 0, readiness, routes: [{ path: `/${name}` }] });
  const print = "console.log('(pid ' + process.pid + ') reads its settings'); console.error('no database');";
  let system: System;
  let port: number;
  before(async () => {
    system = await System.create(({ own: [elsewhere] }) => ({
      services: [
        sampleService({ instances: 0 }),
        broken('missing', '/nonexistent/program', '{port}'),
        broken('exits', 'node', '-e', `${print} process.exit(3)`),
        {
          ...broken('deaf', 'node', '-e', `${print} setInterval(() => {}, 60_000)`),
          readiness: { deadline: '4s' },
        },
        {
          ...broken('elsewhere', 'node', mainOf('test-server')),
          env: { LISTEN_ON: String(elsewhere) },
          readiness: { deadline: '7s' },
        },
      ],
    }));
    port = system.ports.from;
    await system.start('server-manager').isReady();
  });
  after(() => system[Symbol.asyncDispose]());

  for (const { service, what, status, code, detail, logTail } of [
    {
      service: 'missing',
      what: 'does not exist',
      status: 502,
      code: 'COMMAND_FAILED',
      detail: /\/nonexistent\/program \d+" in .*: no such program$/,
      logTail: /^$/,
    },
    {
      service: 'exits',
      what: 'exits at once',
      status: 502,
      code: 'INSTANCE_EXITED',
      detail: /exited with code 3 .*: no database$/,
      logTail: /reads its settings,no database$/,
    },
    {
      service: 'deaf',
      what: 'never listens',
      status: 504,
      code: 'INSTANCE_NOT_READY',
      detail: /not ready within 4 s: .*ECONNREFUSED/,
      logTail: /reads its settings,no database$/,
    },
    {
      service: 'elsewhere',
      what: 'listens elsewhere',
      status: 504,
      code: 'INSTANCE_NOT_READY',
      detail: /it listens on \d+ instead of \d+$/,
      logTail: /sample backend .* listens on/,
    },
  ]) {
    it(`tells what is wrong when it ${what}, and leaves nothing behind`, async () => {
      const answer = await system.add({ service, port });
      assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
      const problem = ProblemSchema.parse(JSON.parse(answer.body));
      assert.equal(answer.status, status);
      assert.equal(problem.status, status);
      assert.equal(problem.code, code);
      assert.match(problem.detail, detail);
      assert.match(problem.logTail.join(), logTail);
      assert.deepEqual(await system.list(), []);
      assert.equal(await isPortFree(port), true);
    });
  }

  it('gives the port to the next instance', async () => {
    assert.equal((await system.add({ port })).status, 201);
    assert.equal((await system.remove(port)).status, 200);
  });
});
