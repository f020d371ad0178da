import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { currentBootId, isSameProcess, startTimeOf } from '../../../internal/server/process-identity.ts';

const onLinux = process.platform === 'linux';

describe('the identity of a process', () => {
  it('holds while pid, start time, boot and token agree', async () => {
    const child = spawn('sleep', ['600'], { env: { PATH: process.env['PATH'], HEIMDALL_INSTANCE_TOKEN: 'abc' } });
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    const identity = { pid, startTime: (await startTimeOf(pid)) ?? '', bootId: await currentBootId(), token: 'abc' };
    assert.equal(await isSameProcess(identity), true);
    assert.equal(await isSameProcess({ ...identity, startTime: '1' }), false);
    assert.equal(await isSameProcess({ ...identity, bootId: 'another' }), false);
    if (onLinux) assert.equal(await isSameProcess({ ...identity, token: 'abcd' }), false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(await isSameProcess(identity), false);
    assert.equal(await startTimeOf(pid), null);
  });

  it('needs no token where the process shows none: it may have changed its title or its user', async () => {
    const child = spawn('sleep', ['600'], { env: { PATH: process.env['PATH'] } });
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    const identity = { pid, startTime: (await startTimeOf(pid)) ?? '', bootId: await currentBootId(), token: 'abc' };
    assert.equal(await isSameProcess(identity), true);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
});
