import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { describeListener, ownerOf, parseListeners, portsOf } from '../../../internal/server/port-owner.ts';
import { stopGroup } from '../../../internal/server/process-group.ts';
import { freeRange } from '../../support/server-fixture.ts';

const skip = process.platform !== 'linux';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2329 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 51234 1 0000000000000000 100 0 0 10 0
   1: 0100007F:2329 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 51299 1 0000000000000000 20 4 30 10 -1
   2: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 777 1 0 100 0 0 10 0
`;

describe('parseListeners', () => {
  it('finds the listening sockets of both families and nothing else', () => {
    assert.deepEqual(parseListeners(TABLE), [
      { port: 9001, inode: '51234' },
      { port: 8080, inode: '777' },
    ]);
    assert.deepEqual(parseListeners(''), []);
  });
});

describe('the owner of a port', { skip }, () => {
  it('is the group whose member listens, a stranger, or nobody', async () => {
    const port = await freeRange(1);
    const code = `require('net').createServer().listen(${port}, '127.0.0.1', () => console.log('up'))`;
    // The leader of the group is a shell: the listener is its child.
    const shell = spawn('sh', ['-c', '"$0" -e "$1"; :', process.execPath, code], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const group = shell.pid ?? 0;
    try {
      await once(shell.stdout, 'data');
      assert.equal(await ownerOf(port, group), 'group');
      assert.deepEqual(await portsOf(group), [port]);
    } finally {
      await stopGroup(group, 0);
    }

    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    assert.equal(await ownerOf(port, group), 'stranger');
    assert.match((await describeListener(port)) ?? '', new RegExp(`\\(pid ${process.pid}\\)`));
    server.close();
    await once(server, 'close');
    assert.equal(await ownerOf(port, group), 'nobody');
  });
});
