import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { StartedProcess } from '../support/e2e-process.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

const ONE = () => ({ services: [sampleService({ instances: 1 })] });

describe('heimdall up', () => {
  let system: System;
  let up: StartedProcess;
  before(async () => {
    system = await System.create(() => ({ services: [sampleService({ instances: 3 })] }));
  });
  after(() => system[Symbol.asyncDispose]());

  it('says what runs where, spreads traffic evenly, and starts a killed manager or load balancer again', async () => {
    up = await system.up(3);
    const instances = await system.list();

    const lines = up.output.split('\n');
    for (const { id, port, pid } of instances) {
      const line = lines.find((text) => text.startsWith(`  ${id} `)) ?? '';
      assert.match(line, new RegExp(`http://127\\.0\\.0\\.1:${port} +running, pid ${pid}$`));
    }
    assert.ok(lines.some((line) => line.startsWith('  load balancer') && line.includes(system.proxy)));
    assert.ok(lines.some((line) => line.startsWith('  server manager') && line.includes(system.api)));
    for (const url of [`${system.proxy}/`, `${system.api}/servers/list`]) assert.ok(lines.includes(`  curl ${url}`));

    const counts = new Map<string, number>();
    for (let request = 0; request < 30; request += 1) {
      const server = await system.answering();
      counts.set(server, (counts.get(server) ?? 0) + 1);
    }
    assert.deepEqual(counts, new Map(instances.map(({ id }) => [id, 10])));

    const loadBalancer = await system.proxyStatus();
    process.kill(loadBalancer.pid, 'SIGKILL');
    await eventually('another one answers', async () => (await system.proxyStatus()).pid !== loadBalancer.pid);
    await system.inRotation(3);
    const manager = await system.managerStatus();
    process.kill(manager.pid, 'SIGKILL');
    await eventually('another manager answers', async () => (await system.managerStatus()).pid !== manager.pid);
    assert.deepEqual(await system.list(), instances);

    assert.equal((await system.add()).status, 201);
    await system.inRotation(4);
  });

  it('finishes what runs and leaves nothing behind after Ctrl-C, which npm passes on a second time', async () => {
    const slow = system.get('/slow?ms=700');
    await eventually('the request runs', async () => (await system.proxyStatus()).services[0]?.inFlight === 1);

    up.killGroup('SIGINT');
    up.kill('SIGINT');

    assert.equal((await slow).status, 200);
    assert.deepEqual(await up.exited, { code: 0, signal: null });
    assert.deepEqual(await system.remains(), []);
  });
});

describe('heimdall up that is killed, or cannot begin', () => {
  it('takes everything down with it when it is killed', async () => {
    await using system = await System.create(ONE);
    const up = await system.up(1);
    up.kill('SIGKILL');
    await system.untilNothingRemains();
  });

  it('takes everything down with it when it is killed before it is ready', async () => {
    await using system = await System.create(ONE);
    const up = system.heimdall('up');
    await up.printed('instance.added');
    up.kill('SIGKILL');
    await system.untilNothingRemains();
  });

  for (const section of ['manager', 'proxy'] as const) {
    it(`says that ${section}.port is in use, exits with 1 and leaves nothing behind`, async () => {
      await using system = await System.create(ONE);
      const { taken, admin } = system.ports;
      await system.configure({
        [section]: { port: taken, ...(section === 'proxy' ? { admin: { port: admin } } : {}) },
      });
      const up = system.heimdall('up');
      assert.deepEqual(await up.exited, { code: 1, signal: null });
      assert.match(up.output, new RegExp(`^heimdall: .*${taken}.*${section}\\.port`, 'm'));
      assert.doesNotMatch(up.output, /^ +at /m);
      assert.deepEqual(await system.remains(), []);
    });
  }
});
