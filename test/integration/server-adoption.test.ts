import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { startTimeOf } from '../../internal/server/process-identity.ts';
import { membersOf } from '../../internal/server/process-table.ts';
import { ServerManager } from '../../internal/server/server-manager.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { DRAFT } from '../support/instance-draft.ts';
import { AlertLog, freeRange, isAlive, Site, service, until } from '../support/server-fixture.ts';

const onLinux = process.platform === 'linux';

async function rows(site: Site) {
  return (await site.registry.snapshot()).instances;
}

describe('a manager that starts', () => {
  it('adopts the instances that an earlier one left running', async () => {
    await using site = await Site.open();
    const first = await site.started([service({ instances: 2 })]);
    const before = await rows(site);
    await first.stop({ keep: true });
    assert.ok(before.every((row) => isAlive(row.process?.pid)));

    const second = await site.started([service({ instances: 2 })]);
    assert.deepEqual(await rows(site), before);
    assert.equal((await second.status()).services[0]?.running, 2);
    assert.equal((await site.eventTypes()).filter((type) => type === 'instance.adopted').length, 2);
    await second.stop({ keep: false });
    assert.ok(before.every((row) => !isAlive(row.process?.pid)));
    assert.deepEqual(await rows(site), []);
    assert.equal(await site.desired(), 2, 'the next manager starts as many again');
  });

  it('notices the exit of an adopted instance and starts it again', async () => {
    await using site = await Site.open();
    await (await site.started([service({ instances: 1 })])).stop({ keep: true });
    const [before] = await rows(site);
    await site.started([service({ instances: 1 })]);
    process.kill(before?.process?.pid ?? 0, 'SIGKILL');
    const error = await until('an error', async () => (await rows(site))[0]?.lastError);
    assert.match(error, /^exited after /);
    await until('ready again', async () => (await rows(site))[0]?.lifecycle === 'ready');
    assert.equal((await rows(site))[0]?.id, before?.id);
  });

  it('marks what died meanwhile and starts it again on its row', async () => {
    await using site = await Site.open();
    await (await site.started([service({ instances: 1 })])).stop({ keep: true });
    const [before] = await rows(site);
    process.kill(before?.process?.pid ?? 0, 'SIGKILL');
    await until('the process to go', () => !isAlive(before?.process?.pid));
    await site.started([service({ instances: 1 })]);
    const [after] = await rows(site);
    assert.equal(after?.id, before?.id);
    assert.equal(after?.lifecycle, 'ready');
    assert.equal(after?.restarts, 1);
    assert.ok((await site.eventTypes()).includes('instance.lost'));
  });

  // The pid of a dead instance has come to another program, which must not be killed
  // only because a row still names the number.
  it('never signals a stranger that has got the pid of a dead instance', async () => {
    await using site = await Site.open();
    const stranger = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    const pid = stranger.pid ?? 0;
    try {
      const startTime = (await startTimeOf(pid)) ?? '';
      const [row] = await site.registry.reserve([DRAFT], [site.ports.from], 0);
      const identity = { pid, startTime: `${startTime}0`, bootId: 'another', token: 't' };
      await site.registry.update(row?.id ?? '', { process: identity, startedAt: 1 });
      const manager = await site.started([]);
      await until('the row to go', async () => (await rows(site)).length === 0);
      await manager.stop({ keep: false });
      assert.ok(isAlive(pid));
    } finally {
      stranger.kill('SIGKILL');
      await once(stranger, 'exit');
    }
  });

  it('goes on waiting for one that was starting, and completes a start that had only its row', async () => {
    await using site = await Site.open();
    const slow = service({ env: { DEAF: '1' } });
    const first = await site.started([slow]);
    await first.add({ count: 1, wait: false });
    const pid = await until('a process', async () => (await rows(site))[0]?.process?.pid);
    await first.stop({ keep: true });
    await site.registry.reserve([DRAFT], [site.ports.from + 1], 1);

    const second = site.manager([slow]);
    await second.start();
    await until('both to run', async () => (await rows(site)).filter((row) => row.process !== null).length === 2);
    assert.equal((await rows(site))[0]?.process?.pid, pid);
    assert.equal((await rows(site))[0]?.lifecycle, 'starting');
  });

  it('kills what still runs of an instance whose leader is gone', { skip: !onLinux }, async () => {
    await using site = await Site.open();
    await (await site.started([service({ instances: 1, env: { CHILD: '1' } })])).stop({ keep: true });
    const [before] = await rows(site);
    const group = before?.process?.pid ?? 0;
    process.kill(group, 'SIGKILL');
    await until('the leader to go', () => !isAlive(group));
    const members = await membersOf(group);
    assert.equal(members.length, 1, 'the child is left');
    await site.started([service({ instances: 1 })]);
    assert.equal(await startTimeOf(members[0] ?? 0), null);
  });

  it('stops and removes instances of services that are configured no more', async () => {
    await using site = await Site.open();
    await (await site.started([service({ instances: 1 })])).stop({ keep: true });
    const [before] = await rows(site);
    await site.started([service({ name: 'other' })]);
    await until('the row to go', async () => (await rows(site)).length === 0);
    assert.equal(isAlive(before?.process?.pid), false);
    assert.equal(await site.desired('web'), undefined);
  });

  it('takes over from one that was killed', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'heimdall-server-'));
    const from = await freeRange(5);
    const ports = { from, to: from + 4 };
    const script = join(import.meta.dirname, '../support/server-manager-process.ts');
    const killed = spawn(process.execPath, [script, dir, String(from), String(ports.to)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(killed.stdout, 'data');
    assert.match(String(line), /settled/);
    killed.kill('SIGKILL');
    await once(killed, 'exit');

    const registry = await openManagerRegistry({ path: join(dir, 'registry.db') });
    const before = (await registry.snapshot()).instances;
    const manager = new ServerManager({
      registry,
      services: [service({ instances: 2 })],
      ports,
      dataDir: dir,
      log: createLogger({ name: 'test', level: 'silent' }),
      alerts: new AlertLog(),
      baseEnv: process.env,
      version: '1.2.3',
    });
    try {
      await manager.start();
      assert.deepEqual((await registry.snapshot()).instances, before);
      const [one, two] = before.map((row) => row.process?.pid ?? 0);
      process.kill(one ?? 0, 'SIGKILL'); // an orphan may stay a zombie for a while: it counts as gone all the same
      await until('the exit to be noticed', async () =>
        (await registry.snapshot()).instances.some((row) => row.lastError),
      );
      await manager.stop({ keep: false });
      assert.equal(await startTimeOf(two ?? 0), null);
    } finally {
      await manager.stop({ keep: false });
      await registry.close();
      await rm(dir, { recursive: true, force: true });
    }
  });
});
