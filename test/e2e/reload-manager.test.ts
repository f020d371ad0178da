import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Agent } from '../../pkg/sockets/http.ts';
import { ask } from '../support/e2e-http.ts';
import type { StartedProcess } from '../support/e2e-process.ts';
import { reload, replace } from '../support/e2e-reload.ts';
import { System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

/** Leaves the machine to the process that starts meanwhile, in milliseconds. */
const PAUSE_MS = 20;

describe('a manager that is replaced', () => {
  let system: System;
  let up: StartedProcess;
  before(async () => {
    system = await System.create();
    up = await system.up(2);
  });
  after(() => system[Symbol.asyncDispose]());

  it('keeps its instances, and nobody who calls its API is refused', async () => {
    const before = await system.list();
    const failures: string[] = [];
    const ending = new AbortController();
    let answers = 0;
    const call = async (agent?: Agent) => {
      while (!ending.signal.aborted) {
        const answer = ask(`${system.api}/servers/list`, agent ? { agent } : {});
        await answer.then(
          ({ status }) => (status === 200 ? (answers += 1) : failures.push(String(status))),
          (error: unknown) => failures.push(String(error)),
        );
      }
    };
    const kept = new Agent({ keepAlive: true, maxSockets: 1 });
    const calling = Promise.all([call(), call(kept)]);
    for (let times = 0; times < 2; times += 1) {
      const { code, error, successor } = await reload(system, 'manager');
      assert.deepEqual([code, error], [0, undefined]);
      await eventually('the successor answers', async () => (await system.managerStatus()).pid === successor);
    }
    ending.abort();
    await calling;
    kept.destroy();
    assert.deepEqual(failures, []);
    assert.ok(answers > 10);
    assert.deepEqual(await system.list(), before, 'the same processes');
    assert.equal((await system.add()).status, 201);
    assert.equal((await system.remove(before[0]?.port ?? 0)).status, 200);
  });

  it('records whom a call came from, also one that it passes on to its successor', async () => {
    const kept = new Agent({ keepAlive: true, maxSockets: 1, localAddress: '127.0.0.2' });
    const headers = { 'Heimdall-Actor': 'ann' };
    const over = new AbortController();
    const reloading = replace(system, 'manager').finally(() => over.abort());
    let calls = 0;
    for (; !over.signal.aborted; calls += 1) {
      const { status } = await ask(`${system.api}/services/web/resume`, { method: 'POST', agent: kept, headers });
      assert.equal(status, 200);
      await sleep(PAUSE_MS);
    }
    await reloading;
    kept.destroy();
    const events = await ask(`${system.api}/events?type=audit&actor=ann&limit=1000`);
    const addresses = z.array(z.object({ data: z.object({ address: z.string() }) })).parse(JSON.parse(events.body));
    assert.equal(addresses.length, calls);
    assert.deepEqual(new Set(addresses.map(({ data }) => data.address)), new Set(['127.0.0.2']));
  });

  it('is not replaced when the new address is taken', async () => {
    const { pid } = await system.managerStatus();
    await system.configure({ manager: { port: system.ports.taken } });
    const answer = await ask(`${system.api}/reload`, { method: 'POST' });
    assert.equal(answer.status, 502);
    assert.match(answer.body, /in use/);
    assert.equal((await system.managerStatus()).pid, pid);
    await system.configure({ manager: { port: system.ports.manager } });
  });

  it('goes on when its successor cannot start', async () => {
    const { pid } = await system.managerStatus();
    await system.writeConfig('{');
    const answer = await ask(`${system.api}/reload`, { method: 'POST' });
    assert.equal(answer.status, 502);
    assert.match(answer.body, /this process goes on/);
    assert.equal((await system.managerStatus()).pid, pid);
    await system.configure({});
    assert.equal((await system.add()).status, 201);
  });

  it('is started again when its successor fails after all, and nothing happens to the instances', async () => {
    const before = await system.list();
    const { registry, ...rest } = JSON.parse(await readFile(system.configPath, 'utf8'));
    await system.writeConfig(JSON.stringify({ ...rest, registry: { path: `${system.configPath}/registry.db` } }));
    const answer = await ask(`${system.api}/reload`, { method: 'POST' });
    assert.equal(answer.status, 502);
    await up.printed('the server-manager ended unexpectedly');
    await system.writeConfig(JSON.stringify({ ...rest, registry }));
    await eventually('another manager', async () => (await system.list()).every(({ status }) => status === 'running'));
    assert.deepEqual(await system.list(), before);
  });

  it('finishes what its API was asked for before it gives up the registry', async () => {
    const slow = system.get('/slow?ms=2000');
    await eventually('the request runs', async () => (await system.proxyStatus()).services[0]?.inFlight === 1);
    const removed = Promise.all((await system.list()).map(({ port }) => system.remove(port)));
    await eventually('the drain has begun', async () =>
      (await system.list()).some(({ status }) => status !== 'running'),
    );
    const reloading = replace(system, 'manager');
    for (const { status } of await removed) assert.equal(status, 200);
    assert.equal((await slow).status, 200);
    const { successor } = await reloading;
    assert.equal((await system.managerStatus()).pid, successor);
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
