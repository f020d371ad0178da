import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { hasCode } from '../../internal/model/errors.ts';
import type { RegistryReader } from '../../internal/registry/registry.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import { RegistryProcess } from '../support/registry-process.ts';
import { RegistryRecorder } from '../support/registry-recorder.ts';

describe('the SQLite registry among processes', () => {
  let folder: string;
  let path: string;
  const processes: RegistryProcess[] = [];
  const opened: RegistryReader[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-registry-'));
    path = join(folder, 'registry.db');
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((registry) => registry.close()));
    await Promise.all(processes.splice(0).map((process) => process.kill()));
    await rm(folder, { recursive: true });
  });

  function start(role: 'manager' | 'proxy'): RegistryProcess {
    const process = new RegistryProcess(role, path);
    processes.push(process);
    return process;
  }
  function keep<T extends RegistryReader>(registry: T): T {
    opened.push(registry);
    return registry;
  }

  it('shows a commit of another process', async () => {
    const manager = start('manager');
    await manager.answer();
    const recorder = new RegistryRecorder();
    const proxy = keep(openProxyRegistry({ path, proxyId: 'a', pid: 1 }));
    proxy.watch(recorder, new AbortController().signal);
    await recorder.picture();
    const { reserved } = await manager.reserve();
    const picture = await recorder.picture(({ revision }) => revision === 1);
    assert.equal(picture.instances[0]?.id, reserved?.[0]?.id);
    assert.equal((await proxy.manager())?.pid, manager.child.pid);
  });

  it('is made once when several processes start at the same time', async () => {
    const started = [start('manager'), start('proxy'), start('proxy')];
    const answers = await Promise.all(started.map((process) => process.answer()));
    const ids = new Set(answers.map(({ registryId }) => registryId));
    assert.equal(ids.size, 1);
    assert.notEqual([...ids][0], undefined, JSON.stringify(answers));
  });

  it('lets exactly one of two managers in that start at the same time', async () => {
    const started = [start('manager'), start('manager')];
    const answers = await Promise.all(started.map((process) => process.answer()));
    assert.equal(answers.filter(({ running }) => running).length, 1, JSON.stringify(answers));
    assert.equal(answers.filter(({ registryId }) => registryId).length, 1, JSON.stringify(answers));
  });

  it('refuses a second manager, naming path and pid, and accepts it once the first was killed', async () => {
    const first = start('manager');
    await first.answer();
    await first.reserve();
    await assert.rejects(openManagerRegistry({ path }), (error) => {
      assert.ok(hasCode(error, 'MANAGER_RUNNING'));
      assert.ok(error.message.includes(path));
      assert.ok(error.message.includes(`pid ${first.child.pid}`));
      return true;
    });
    assert.equal((await first.reserve()).reserved?.[0]?.port, 9_001);
    await first.kill();
    const second = keep(await openManagerRegistry({ path }));
    assert.equal((await second.snapshot()).instances.length, 2);
  });

  it('never mixes what belongs to the old file into the one that took its place', async () => {
    const message = 'fills pages'.repeat(300);
    const maker = await openManagerRegistry({ path });
    for (let at = 0; at < 30; at += 1)
      await maker.recordEvent({ at, type: 'manager.started', service: null, instanceId: null, message, data: {} });
    await maker.close();
    await rename(path, `${path}.big`);
    const manager = start('manager');
    await manager.answer();
    const recorder = new RegistryRecorder();
    const proxy = keep(openProxyRegistry({ path, proxyId: 'a', pid: 1 }));
    proxy.watch(recorder, new AbortController().signal);
    await manager.reserve();
    const { registryId } = await recorder.picture(({ revision }) => revision === 1);
    await rename(`${path}.big`, path);
    // the manager still has the old files open while the load balancer opens the new one
    await recorder.picture((picture) => picture.registryId !== registryId);
    await proxy.report({ appliedRevision: 0, inFlight: new Map([['web-1', 1]]) });
    await manager.reserve();
    assert.equal((await recorder.picture(({ revision }) => revision === 1)).instances.length, 1);
    await proxy.close();
    await manager.close();
    const sound = keep(await openManagerRegistry({ path }));
    assert.equal((await sound.events({ limit: 100 })).length, 30);
    assert.equal((await sound.proxies())[0]?.inFlight.get('web-1'), 1);
    assert.deepEqual(recorder.failures, []);
  });

  it('keeps two processes together when only one of them noticed that the file was away', async () => {
    const manager = start('manager'); // idle, so that it notices nothing
    await manager.answer();
    await manager.reserve();
    const recorder = new RegistryRecorder();
    const proxy = keep(openProxyRegistry({ path, proxyId: 'a', pid: 1 }));
    proxy.watch(recorder, new AbortController().signal);
    await recorder.picture();
    await rename(path, `${path}.away`);
    await recorder.failure();
    await rename(`${path}.away`, path);
    await recorder.picture();
    await proxy.report({ appliedRevision: 1, inFlight: new Map() });
    await manager.reserve();
    assert.equal((await recorder.picture(({ revision }) => revision === 2)).instances.length, 2);
    await manager.close();
    assert.equal((await proxy.proxies())[0]?.appliedRevision, 1);
  });

  it('leaves nothing but its file behind when the last process closes in order', async () => {
    const manager = start('manager');
    await manager.answer();
    const proxy = start('proxy');
    await proxy.answer();
    assert.ok(readdirSync(folder).includes('registry.db.manager-lock'));
    await manager.close();
    await proxy.close();
    assert.deepEqual(readdirSync(folder), ['registry.db']);
  });
});
