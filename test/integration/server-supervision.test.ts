import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { startTimeOf } from '../../internal/server/process-identity.ts';
import { DEFAULT_RESTART_POLICY } from '../../internal/server/restart-policy.ts';
import { Site, service, until } from '../support/server-fixture.ts';

/** Much quicker than the real one. */
const HASTY = { ...DEFAULT_RESTART_POLICY, firstDelayMs: 5, maxDelayMs: 5, healthyAfterMs: 60_000 };

const ChildrenSchema = z.object({ children: z.array(z.int()) });

async function row(site: Site) {
  const [instance] = (await site.registry.snapshot()).instances;
  assert.ok(instance);
  return instance;
}

describe('the output of an instance', () => {
  it('is put aside while it runs, and its last lines are still told when it ends', async () => {
    await using site = await Site.open();
    const web = service({ instances: 1, env: { HEEDS: 'SIGUSR1' } });
    await site.started([web], { logLimits: { maxSize: 5, keep: 1, total: 1_000_000 } });
    const { id, process: identity } = await row(site);
    const path = join(site.dir, 'logs', `${id}.out.log`);
    await until('it is put aside', async () => (await readFile(`${path}.1`, 'utf8').catch(() => '')) !== '');
    await until('it is empty', async () => (await readFile(path, 'utf8')) === ''); // what is written before that may be lost
    assert.match(await readFile(`${path}.1`, 'utf8'), /^listening on/);
    process.kill(identity?.pid ?? 0, 'SIGUSR1');
    const exit = await until('the exit', async () =>
      (await site.registry.events({ limit: 50 })).find(({ type }) => type === 'instance.exited'),
    );
    const tail = z.array(z.string()).parse(exit.data['logTail']);
    assert.equal(tail.at(-1), 'heard SIGUSR1');
  });
});

describe('an instance that exits unexpectedly', () => {
  it('leaves the rotation with its reason and comes back on the same row and port', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 1 })]);
    const before = await row(site);
    await fetch(`http://127.0.0.1:${before.port}/exit?code=7`).catch(() => {});
    const down = await until('backing off', async () => {
      const now = await row(site);
      return now.lifecycle === 'backing-off' ? now : null;
    });
    assert.match(down.lastError ?? '', /^exited with code 7 after /);
    assert.equal(down.process, null);
    assert.equal((await manager.instances.get(`${before.port}`)).status, 'error');

    const after = await until('ready again', async () => {
      const now = await row(site);
      return now.lifecycle === 'ready' ? now : null;
    });
    assert.equal(after.id, before.id);
    assert.equal(after.port, before.port);
    assert.equal(after.restarts, 1);
    assert.equal(after.lastError, null);
    assert.notEqual(after.process?.pid, before.process?.pid);
    assert.equal((await site.eventTypes()).filter((type) => type === 'instance.exited').length, 1);
  });

  it('is not started again after an exit code that forbids it, and can be removed', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 1, noRestartCodes: [0, 7] })], { restart: HASTY });
    const before = await row(site);
    await fetch(`http://127.0.0.1:${before.port}/exit?code=7`).catch(() => {});
    const gone = await until('failed', async () => {
      const now = await row(site);
      return now.lifecycle === 'failed' ? now : null;
    });
    assert.match(gone.lastError ?? '', /^exited with code 7 after .*, after which it is not started again/);
    assert.deepEqual([gone.process, gone.restarts], [null, 0]);
    await until('the event', async () => (await site.eventTypes()).includes('instance.exited'));
    assert.deepEqual(site.alerts.raised, []);
    await manager.remove(before.port, { force: false });
    assert.deepEqual((await site.registry.snapshot()).instances, []);
  });

  it('is not started again either when the start has ended so', async () => {
    await using site = await Site.open();
    const failing = service({ instances: 1, env: { FAIL: 'bad configuration' }, noRestartCodes: [3] });
    await site.started([failing], { restart: HASTY });
    const gone = await until('failed', async () => {
      const now = await row(site);
      return now.lifecycle === 'failed' ? now : null;
    });
    assert.match(gone.lastError ?? '', /exited with code 3 .*: bad configuration, after which it is not started again/);
    assert.equal(gone.restarts, 0);
  });

  it('tells the signal, and takes the rest of its process group along', async () => {
    await using site = await Site.open();
    await site.started([service({ instances: 1, env: { CHILD: '1' } })]);
    const { process: identity, port } = await row(site);
    const { children } = ChildrenSchema.parse(await (await fetch(`http://127.0.0.1:${port}/`)).json());
    const child = children[0] ?? 0;
    assert.ok(await startTimeOf(child));
    process.kill(identity?.pid ?? 0, 'SIGKILL');
    const error = await until('an error', async () => (await row(site)).lastError);
    assert.match(error, /^killed by SIGKILL after /);
    await until('the child to go', async () => (await startTimeOf(child)) === null);
  });

  it('is in a crash loop after five faults: failed, with an alert that carries its last lines', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 1, env: { FAIL: 'out of luck' } })], { restart: HASTY });
    await until('failed', async () => (await row(site)).lifecycle === 'failed');
    const { id, restarts } = await row(site);
    assert.equal(restarts, 4);
    const [alert] = await until('the alert', () => (site.alerts.raised.length > 0 ? site.alerts.raised : null));
    assert.equal(alert?.key, `crash-loop:${id}`);
    assert.equal(alert?.severity, 'critical');
    assert.match(alert?.cause ?? '', /out of luck/);
    assert.equal((await site.eventTypes()).filter((type) => type === 'instance.crash-loop').length, 1);

    await manager.remove((await row(site)).port, { force: false });
    assert.deepEqual(site.alerts.resolved, [`crash-loop:${id}`]);
  });

  it('is out of the crash loop once it has been ready for long enough', async () => {
    await using site = await Site.open();
    const restart = { ...HASTY, crashLimit: 1, slowRetryMs: 5, healthyAfterMs: 50 };
    await site.started([service({ instances: 1 })], { restart });
    const { id, process: identity } = await row(site);
    process.kill(identity?.pid ?? 0, 'SIGKILL');
    await until('the alert', () => site.alerts.raised.length === 1);
    await until('the recovery', () => site.alerts.resolved.length > 0);
    assert.deepEqual(site.alerts.resolved, [`crash-loop:${id}`]);
    assert.equal((await row(site)).lifecycle, 'ready');
  });

  it('stays as an error with its reason when it cannot even start, and is tried again', async () => {
    await using site = await Site.open();
    const broken = service({ instances: 1, command: ['no-such-program'] });
    const manager = await site.started([broken], { restart: HASTY });
    const [view] = await until('an error', async () => {
      const views = await manager.list({ status: 'error' });
      return views.length > 0 ? views : null;
    });
    assert.match(view?.lastError ?? '', /^cannot run "no-such-program"/);
    await until('more tries', async () => (await row(site)).restarts >= 2);
  });

  it('uses a changed command for its next start', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 1, env: { FAIL: 'old' } })], { restart: HASTY });
    await until('a failed start', async () => (await row(site)).lastError);
    await manager.apply({ services: [service({ instances: 1 })], ports: site.ports });
    await until('ready', async () => (await row(site)).lifecycle === 'ready');
  });
});
