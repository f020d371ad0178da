import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { GETS, Load } from '../support/e2e-load.ts';
import type { StartedProcess } from '../support/e2e-process.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

const WEB = sampleService({ command: undefined, instances: undefined, env: undefined, agents: true, slowStart: null });

describe('agents', () => {
  let system: System;
  let manager: StartedProcess;
  before(async () => {
    system = await System.create(() => ({ services: [WEB] }));
    ({ manager } = await system.startBoth(0));
  });
  after(() => system[Symbol.asyncDispose]());

  const agentOf = (...words: string[]) => system.heimdall('agent', ...words, '--manager', system.api);
  const statusOf = async (port: number) => (await system.list()).find((each) => each.port === port)?.status;

  it('bring apps in, take them out when they die, and leave without a lost request', async () => {
    const [first = 0, second = 0] = system.ports.own;
    const apps = [system.backend(second)];
    const agents = [first, second].map((port) => agentOf('--app', `web=${port}`, '--node', `host-${port}`));
    const [leaving, staying] = agents;
    assert.ok(leaving && staying);
    await leaving.printed('connect ECONNREFUSED');
    await system.inRotation(1); // a living host with a dead app is not announced

    const app = system.backend(first);
    await system.inRotation(2);
    const load = new Load(system.proxy, 8, GETS);
    try {
      await load.reaches(`backend-${first}`);
      app.kill('SIGKILL');
      await eventually('it is out of rotation', async () => (await statusOf(first)) === 'error');
      await app.exited;
      const again = system.backend(first);
      await load.reaches(`backend-${first}`);

      leaving.kill('SIGTERM');
      assert.deepEqual(await leaving.exited, { code: 0, signal: null }, leaving.output);
      assert.equal(await statusOf(first), undefined);
      const answered = load.from(`backend-${first}`);
      await again.stop();
      await load.more(50);
      assert.equal(load.from(`backend-${first}`), answered); // nobody asks it for anything any more
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.failures, []);
    for (const started of [staying, ...apps]) await started.stop();
  });

  it('go on through a restart of the manager, keep out what was removed, and tell of what is refused', async () => {
    const [, , port = 0] = system.ports.own;
    system.backend(port);
    const nowhere = `http://127.0.0.1:${system.ports.from}`;
    const agent = agentOf('--app', `web=${port}`, '--node', 'host-b', '--manager', nowhere);
    await system.inRotation(1);
    const [before] = await system.list();

    await manager.stop();
    await agent.printed('nobody takes the announcements');
    assert.equal(await system.answering(), `backend-${port}`); // nobody needs a manager to be served
    await system.start('server-manager').isReady();
    await agent.printed('answers again');
    assert.deepEqual(await system.list(), [before]);

    const rival = agentOf('--app', `web=${port}`, '--node', 'host-c');
    await rival.printed(/is not taken: Port \d+ on 127\.0\.0\.1 is taken by/);
    await rival.stop();

    const removed = await system.remove(port);
    assert.equal(removed.status, 200, removed.body);
    await agent.printed('was removed');
    assert.deepEqual(await system.list(), []);
    agent.kill('SIGHUP');
    await system.inRotation(1);
    assert.notEqual((await system.list())[0]?.id, before?.id);
    await agent.stop();
  });
});
