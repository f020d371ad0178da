import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { stopGroup } from '../../../internal/server/process-group.ts';
import { membersOf } from '../../../internal/server/process-table.ts';

async function shell(script: string): Promise<number> {
  const child = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

describe('stopGroup', () => {
  it('ends every member, not only the leader', async () => {
    const group = await shell('sleep 600 & sleep 600 & echo up; wait');
    assert.equal(await stopGroup(group, 20_000), true);
    assert.deepEqual(await membersOf(group), []);
  });

  it('kills members that ignore SIGTERM, also those whose leader has gone', async () => {
    const group = await shell('sh -c "trap : TERM; echo up; while :; do sleep 0.05; done" & wait');
    assert.equal(await stopGroup(group, 100), true);
    assert.deepEqual(await membersOf(group), []);
  });

  it('is content with a group that is gone already', async () => {
    const group = await shell('echo up');
    assert.equal(await stopGroup(group, 20_000), true);
    assert.equal(await stopGroup(group, 0), true);
  });
});
