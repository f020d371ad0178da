import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { describeEngines } from '../support/engines.ts';
import { GETS, Load, MIXED } from '../support/e2e-load.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

/** Cheaper to start than the sample backend, because there are many of them. */
const TINY = `require('node:http').createServer((request, response) => response.end(process.env.PORT)).listen(process.env.PORT, '127.0.0.1', () => console.log('(pid ' + process.pid + ')'))`;

describeEngines('instances of a running system', () => {
  let system: System;
  before(async () => {
    system = await System.create(() => ({ services: [sampleService({ instances: 3 })] }));
    await system.startBoth(3);
  });
  after(() => system[Symbol.asyncDispose]());

  it('are killed without a failed request, leave the rotation without any traffic, and come back', async () => {
    const load = new Load(system.proxy, 6, GETS);
    try {
      await load.more(100);
      const [victim] = await system.list();
      assert.ok(victim?.pid);
      process.kill(victim.pid, 'SIGKILL');
      await eventually('it runs again', async () => {
        const now = (await system.list()).find(({ id }) => id === victim.id);
        return now?.status === 'running' && now.restarts === 1 && now.pid !== victim.pid;
      });
      await load.reaches(victim.id);
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.failures, []);

    const idle = (await system.list()).at(-1);
    assert.ok(idle?.pid);
    process.kill(idle.pid, 'SIGKILL');
    await eventually('it is out of rotation', async () => {
      const upstream = (await system.upstreams()).find(({ id }) => id === idle.id);
      return upstream && !(upstream.lifecycle === 'ready' && upstream.health === 'healthy');
    });
    await system.inRotation(3);
  });

  it('are added and removed under load without a failed request', async () => {
    const load = new Load(system.proxy, 6, MIXED);
    try {
      await load.more(150);
      for (let round = 0; round < 2; round += 1) {
        const added = await system.add();
        assert.equal(added.status, 201, added.body);
        const { id } = z.object({ id: z.string() }).parse(JSON.parse(added.body));
        await load.reaches(id);
        const oldest = (await system.list()).find((instance) => instance.id !== id);
        assert.ok(oldest);
        const removed = await system.remove(oldest.port);
        assert.equal(removed.status, 200, removed.body);
        await load.more(150);
      }
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.failures, []);
    assert.ok(load.requests >= 450, `only ${load.requests} requests`);
    assert.equal((await system.list()).length, 3);
  });
});

describe('instances of a running system', () => {
  it('get ports of their own when fifteen are added at once, and all of them answer', async () => {
    const service = sampleService({
      command: ['node', '-e', TINY],
      instances: 0,
      readiness: { interval: '250ms', deadline: '90s' }, // all of them start at the same time
      healthCheck: { interval: '1s', timeout: '10s' },
      slowStart: null,
    });
    await using system = await System.create(() => ({ services: [service] }));
    await system.startBoth(0);

    const answers = await Promise.all(Array.from({ length: 15 }, () => system.add()));
    assert.deepEqual(new Set(answers.map(({ status, body }) => (status === 201 ? 201 : body))), new Set([201]));
    const ports = answers.map(({ body }) => z.object({ port: z.int() }).parse(JSON.parse(body)).port);
    assert.equal(new Set(ports).size, 15);

    await system.inRotation(15);
    const answering = new Set<number>();
    await eventually('all of them answer', async () => {
      const answered = await Promise.all(ports.map(() => system.get()));
      for (const { body } of answered) answering.add(Number(body));
      return answering.size >= ports.length;
    });
    assert.deepEqual(answering, new Set(ports));
  });
});
