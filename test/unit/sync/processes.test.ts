import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type NginxLook, NginxProcesses } from '../../../internal/sync/nginx/processes.ts';
import { eventually } from '../../support/e2e-wait.ts';

/** Processes with the titles of nginx's. */
const PLAY = `
(exec -a 'nginx: worker process' sleep 60) &
(exec -a 'nginx: worker process is shutting down' sleep 60) &
wait`;
const skip = process.platform !== 'linux' && 'there is no /proc';

describe('the processes of nginx', { skip }, () => {
  let folder = '';
  let master: ChildProcess;
  let processes: NginxProcesses;
  const becomes = (what: string, is: (look: NginxLook) => boolean) =>
    eventually(what, async () => is(await processes.look()));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-processes-'));
    const pidFile = join(folder, 'nginx.pid');
    master = spawn('bash', ['-c', PLAY], { argv0: 'nginx: master process', stdio: 'ignore', detached: true });
    await writeFile(pidFile, `${master.pid}\n`);
    processes = new NginxProcesses(pidFile);
  });
  after(async () => {
    endAll();
    await rm(folder, { recursive: true });
  });

  function endAll(): void {
    try {
      process.kill(-(master.pid ?? 0), 'SIGKILL');
    } catch {
      // They have ended already.
    }
  }

  it('tell which workers take connections, and which finish what they have', async () => {
    await becomes(
      'one of each',
      (look) => typeof look !== 'string' && look.workers.length + look.retiring.length === 2,
    );
    const look = await processes.look();
    assert.ok(typeof look !== 'string');
    assert.deepEqual([look.master, look.workers.length, look.retiring.length], [master.pid, 1, 1]);
    assert.equal(await processes.isStill(look), true);
  });

  it('cannot be seen in a container, whose pid file tells a number of its own', async () => {
    const pidFile = join(folder, 'of-container.pid');
    await writeFile(pidFile, '1\n');
    assert.equal(await new NginxProcesses(pidFile).look(), 'invisible');
  });

  it('are not gone as long as workers go on without their master', async () => {
    const before = await processes.look();
    master.kill('SIGKILL');
    await becomes('nobody can tell', (look) => look === 'invisible');
    assert.equal(await processes.isStill(before), false);
    endAll();
    await becomes('nothing runs', (look) => look === 'absent');
  });
});
