import assert from 'node:assert/strict';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hasCode } from '../../internal/model/errors.ts';
import type { ProxyRegistry } from '../../internal/registry/registry.ts';
import { membersOf } from '../../internal/server/process-table.ts';
import type { ServerManager } from '../../internal/server/server-manager.ts';
import { isAlive, Site, service, until } from '../support/server-fixture.ts';

/** Adds one instance and starts to remove it; resolves when load balancers can see that it drains. */
async function draining(site: Site, manager: ServerManager) {
  const [instance] = await manager.add({ count: 1, wait: true });
  assert.ok(instance);
  const removal = manager.remove(instance.port, { force: false });
  let over = false;
  removal.then(
    () => (over = true),
    () => (over = true),
  );
  const revision = await until('draining', async () => {
    const snapshot = await site.registry.snapshot();
    return snapshot.instances[0]?.lifecycle === 'draining' ? snapshot.revision : null;
  });
  return { instance, removal, revision, pid: instance.process?.pid, isOver: () => over };
}

async function reportsSeen(site: Site): Promise<void> {
  // The drain polls every 20 ms: after some rounds of our own it has looked as well.
  for (let round = 0; round < 10; round += 1) {
    await site.registry.proxies();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const none: ReadonlyMap<string, number> = new Map();
const report = (proxy: ProxyRegistry, appliedRevision: number | null, inFlight = none) =>
  proxy.report({ appliedRevision, inFlight });

describe('removing an instance', () => {
  it('stops it, frees the row, and lowers the desired count', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ env: { CHILD: '1' } })]);
    const [instance] = await manager.add({ count: 1, wait: true });
    assert.ok(instance?.process);
    const view = await manager.remove(instance.port, { force: false });
    assert.equal(view.status, 'stopped');
    assert.equal(view.id, instance.id);
    assert.equal(isAlive(instance.process.pid), false);
    assert.deepEqual(await membersOf(instance.process.pid), [], 'the whole group is gone');
    assert.deepEqual(await manager.list(), []);
    assert.equal(await site.desired(), 0);
  });

  it('keeps it running until every load balancer has stopped picking it and no request is in flight', async () => {
    await using site = await Site.open();
    const [one, two] = [site.proxy('lb-1'), site.proxy('lb-2')];
    await report(one, 0);
    await report(two, null);
    const manager = await site.started([service()]);
    const { instance, removal, revision, pid, isOver } = await draining(site, manager);

    await report(one, revision, new Map([[instance.id, 2]]));
    await reportsSeen(site);
    assert.equal(isOver(), false, 'one load balancer has not answered');
    await report(two, revision);
    await reportsSeen(site);
    assert.equal(isOver(), false, 'requests are in flight');
    assert.ok(isAlive(pid));
    await report(one, revision);
    assert.equal((await removal).status, 'stopped');
    assert.equal(isAlive(pid), false);
  });

  it('does not wait for a load balancer that died', async () => {
    await using site = await Site.open();
    await report(
      site.proxy('lb-dead', () => Date.now() - 6_000),
      0,
    );
    const manager = await site.started([service()]);
    const [instance] = await manager.add({ count: 1, wait: true });
    await manager.remove(instance?.port ?? 0, { force: false });
    assert.deepEqual(await manager.list(), []);
  });

  it('ends the wait at the drain timeout', async () => {
    await using site = await Site.open();
    await report(site.proxy(), 0);
    const manager = await site.started([service({ drainTimeout: '100ms' })]);
    const { removal } = await draining(site, manager);
    assert.equal((await removal).status, 'stopped');
  });

  it('can be forced, also while the drain is under way; both callers get the same answer', async () => {
    await using site = await Site.open();
    await report(site.proxy(), 0);
    const manager = await site.started([service()]);
    const { instance, removal, isOver } = await draining(site, manager);
    assert.equal(isOver(), false);
    const forced = await manager.remove(instance.port, { force: true });
    assert.deepEqual(await removal, forced);
    assert.equal(await site.desired(), 0, 'counted once');
  });

  it('stops with the signal of the service, as does the manager that has adopted the instance', async () => {
    await using site = await Site.open();
    const web = service({ env: { STUBBORN: '1', HEEDS: 'SIGUSR2' }, stopSignal: 'SIGUSR2' });
    const first = await site.started([web]);
    const [one, two] = await first.add({ count: 2, wait: true });
    const output = (id = '') => readFile(join(site.dir, 'logs', `${id}.out.log`), 'utf8');
    await first.remove(one?.port ?? 0, { force: false });
    assert.match(await output(one?.id), /heard SIGUSR2/);
    const { logs, gone } = await first.logs(one?.id ?? '', { lines: 1 });
    assert.deepEqual(await logs.last(), [{ stream: 'out', text: 'heard SIGUSR2' }], 'can still be asked for');
    assert.ok(gone.aborted);
    await assert.rejects(first.logs('../logs/x', { lines: 1 }), { code: 'INSTANCE_NOT_FOUND' });
    await first.stop({ keep: true });
    // As the manager of an earlier version named the file:
    await rename(join(site.dir, 'logs', `${two?.id}.out.log`), join(site.dir, 'logs', `web-${two?.port}.out.log`));
    const second = await site.started([web]);
    await second.remove(two?.port ?? 0, { force: false });
    assert.match(await output(two?.id), /heard SIGUSR2/);
  });

  it('kills what ignores SIGTERM after the stop timeout', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ env: { STUBBORN: '1' }, stopTimeout: '100ms' })]);
    const [instance] = await manager.add({ count: 1, wait: true });
    await manager.remove(instance?.port ?? 0, { force: false });
    assert.equal(isAlive(instance?.process?.pid), false);
  });

  it('is over at once when the process ends while it drains', async () => {
    await using site = await Site.open();
    await report(site.proxy(), 0);
    const manager = await site.started([service()]);
    const { removal, pid } = await draining(site, manager);
    process.kill(pid ?? 0, 'SIGKILL');
    assert.equal((await removal).status, 'stopped');
    assert.equal((await site.eventTypes()).includes('instance.exited'), false);
  });

  it('works while it is starting, and ends the add that waits for it', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ env: { DEAF: '1' } })]);
    const adding = manager.add({ count: 1, wait: true });
    const refused = assert.rejects(adding, (error) => hasCode(error, 'LIFECYCLE_CONFLICT'));
    await until('a process', async () => (await site.registry.snapshot()).instances[0]?.process);
    await manager.remove(site.ports.from, { force: false });
    await refused;
    assert.equal(await site.desired(), 0);
    assert.deepEqual(await manager.list(), []);
  });

  it('works while it waits for its next start', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ env: { FAIL: 'broken' } })]);
    await manager.add({ count: 1, wait: false });
    await until('an error', async () => (await manager.list({ status: 'error' })).length === 1);
    assert.equal((await manager.remove(site.ports.from, { force: false })).status, 'stopped');
    assert.deepEqual(await manager.list(), []);
  });

  it('is refused for declared servers and unknown ports', async () => {
    await using site = await Site.open();
    const far = service({ name: 'far', command: undefined, servers: ['10.0.0.7:8080'] });
    const manager = await site.started([far]);
    await assert.rejects(manager.remove(8080, { force: false }), (error) => hasCode(error, 'NOT_SPAWNED'));
    await assert.rejects(manager.remove(8081, { force: false }), (error) => hasCode(error, 'INSTANCE_NOT_FOUND'));
  });

  it('is left to the next manager when this one stops first and keeps its instances', async () => {
    await using site = await Site.open();
    const proxy = site.proxy();
    await report(proxy, 0);
    const first = await site.started([service()]);
    const { removal, revision, pid } = await draining(site, first);
    const refused = assert.rejects(removal, (error) => hasCode(error, 'SHUTTING_DOWN'));
    await first.stop({ keep: true });
    await refused;
    assert.ok(isAlive(pid));

    await site.started([service()]);
    await report(proxy, revision);
    await until('the row to go', async () => (await site.registry.snapshot()).instances.length === 0);
    assert.equal(isAlive(pid), false);
  });
});
