import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { ask } from '../support/e2e-http.ts';
import { replace } from '../support/e2e-reload.ts';
import { System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

describe('heimdall up, when a load balancer was replaced', () => {
  it('starts another one when the successor dies, also while a predecessor serves a WebSocket, and ends all of them', async () => {
    await using system = await System.create();
    const up = await system.up(2);
    await replacedWhenKilled(system, (await replace(system, 'proxy')).successor);

    const predecessor = (await system.proxyStatus()).pid;
    const socket = new WebSocket(`ws://127.0.0.1:${system.ports.proxy}/ws`);
    await once(socket, 'open');
    await replace(system, 'proxy');
    await replacedWhenKilled(system, (await replace(system, 'proxy')).successor);
    process.kill(predecessor, 0);
    assert.equal(socket.readyState, WebSocket.OPEN);
    const stopped = up.stop();
    socket.close(); // else the end waits for it as long as for any request
    assert.equal((await stopped)?.code, 0);
    assert.deepEqual(await system.remains(), []);
  });

  it('leaves no successor behind that is just being started', async () => {
    await using system = await System.create();
    const up = await system.up(2);
    const reloading = [system.admin, system.api].map((url) =>
      ask(`${url}/reload`, { method: 'POST' }).catch(() => null),
    );
    assert.equal((await up.stop())?.code, 0);
    assert.deepEqual(await system.remains(), []);
    await Promise.all(reloading);
  });
});

async function replacedWhenKilled(system: System, pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await eventually('another one', async () => (await system.proxyStatus()).pid !== pid);
  await system.inRotation(2);
}
