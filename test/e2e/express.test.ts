import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { ask } from '../support/e2e-http.ts';
import { Load, MIXED } from '../support/e2e-load.ts';
import { StartedProcess } from '../support/e2e-process.ts';
import { System } from '../support/e2e-system.ts';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'docs', 'examples', 'express-app.ts');

const AddedSchema = z.object({ id: z.string(), port: z.int() });

describe('docs/examples/express-app.ts with a manager, and no load balancer', () => {
  let system: System;
  let app: StartedProcess;
  let url: string;
  before(async () => {
    system = await System.create();
    await system.start('server-manager').isReady();
    const [port = 0] = system.ports.own;
    const env = { HEIMDALL_CONFIG: system.configPath, PORT: String(port), LOG_LEVEL: 'warn' };
    app = system.track(new StartedProcess([process.execPath, EXAMPLE], { cwd: system.dir, env }));
    await app.printed('the app listens on');
    url = `http://127.0.0.1:${port}`;
  });
  after(() => system[Symbol.asyncDispose]());

  it('loses no request while instances come and go', async () => {
    const load = new Load(`${url}/web`, 8, MIXED);
    try {
      for (let round = 0; round < 2; round += 1) {
        const added = AddedSchema.parse(JSON.parse((await system.add()).body));
        await load.reaches(added.id);
        assert.equal((await system.remove(added.port)).status, 200);
        await load.more(50);
      }
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.failures, []);
  });

  it('answers its own routes itself', async () => {
    assert.match((await ask(`${url}/`)).body, /the app itself/);
  });

  it('makes a drain wait for what runs through it', async () => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
    const [greeting] = await once(socket, 'message');
    const instance = (await system.list()).find(({ id }) => id === String(greeting));
    let removed = false;
    const removal = system.remove(instance?.port ?? 0).then(({ status }) => {
      removed = true;
      return status;
    });
    const other = (await system.list()).find(({ id }) => id !== instance?.id);
    const load = new Load(`${url}/web`, 4);
    await load.reaches(other?.id ?? '', 50);
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.equal(removed, false);
    socket.send('still here');
    assert.equal(String((await once(socket, 'message'))[0]), 'still here');
    socket.close();
    assert.equal(await removal, 200);
  });

  it('ends in order, with the requests that run answered in whole', async () => {
    const running = await fetch(`${url}/web/stream?count=20&every=25`);
    app.kill('SIGTERM');
    assert.equal((await running.text()).split('\n').length, 21);
    assert.deepEqual(await app.exited, { code: 0, signal: null });
    assert.match(app.output, /the app has stopped/);
    const [last] = await system.list();
    assert.equal((await system.remove(last?.port ?? 0)).status, 200); // waits for nobody who is gone
  });
});
