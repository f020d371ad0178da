import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { hasCode } from '../../internal/model/errors.ts';
import type { ProxyRegistry, RegistryReader } from '../../internal/registry/registry.ts';
import { Handle } from '../../internal/registry/sqlite/handle.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import { DRAFT } from '../support/instance-draft.ts';
import { RegistryRecorder } from '../support/registry-recorder.ts';

const EVENT = { type: 'manager.started', service: null, instanceId: null, data: {} } as const;
const PORTS = [9_000, 9_001, 9_002];
const GARBAGE = 'this is no registry\n'.repeat(10_000);
const NOTHING_IN_FLIGHT = { appliedRevision: null, inFlight: new Map<string, number>() };

describe('the SQLite registry when its file is out of order', () => {
  let folder: string;
  let path: string;
  let recorder: RegistryRecorder;
  const cleanups: (() => unknown)[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-registry-'));
    path = join(folder, 'registry.db');
    recorder = new RegistryRecorder();
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    await rm(folder, { recursive: true });
  });

  function keep<T extends RegistryReader>(registry: T): T {
    cleanups.push(() => registry.close());
    return registry;
  }
  function openProxy(): ProxyRegistry {
    return keep(openProxyRegistry({ path, proxyId: 'a', pid: 1 }));
  }
  function watchingProxy(): ProxyRegistry {
    const proxy = openProxy();
    proxy.watch(recorder, new AbortController().signal);
    return proxy;
  }
  /** Another connection, as another process would have it. */
  function openOther(): Handle {
    const other = new Handle({ path, create: true, checkpointPages: 1_000 });
    cleanups.push(() => other.close());
    return other;
  }
  /** A closed registry with one instance, complete in its main file. */
  async function makeRegistry(): Promise<void> {
    const manager = await openManagerRegistry({ path });
    await manager.reserve([DRAFT], PORTS, 1);
    await manager.close();
  }

  it('is made for its owner alone, who keeps secrets in it, and so is its log', async () => {
    keep(await openManagerRegistry({ path }));
    for (const file of [path, `${path}-wal`]) assert.equal((await stat(file)).mode & 0o777, 0o600, file);
  });

  it('fails once when the file is moved away, and comes back with it although nothing changed', async () => {
    const manager = keep(await openManagerRegistry({ path }));
    await manager.reserve([DRAFT], PORTS, 1);
    const proxy = watchingProxy();
    const before = await recorder.picture();
    await rename(path, `${path}.away`);
    const failure = await recorder.failure();
    assert.ok(hasCode(failure, 'REGISTRY_UNAVAILABLE'));
    assert.ok(failure.message.includes(path));
    for (const call of [proxy.report(NOTHING_IN_FLIGHT), proxy.snapshot(), manager.reserve([DRAFT], PORTS, 1)])
      await assert.rejects(call, (error) => hasCode(error, 'REGISTRY_UNAVAILABLE'));
    await rename(`${path}.away`, path);
    assert.deepEqual(await recorder.picture(), before);
    assert.equal(recorder.failures.length, 1);
    await proxy.report({ appliedRevision: 1, inFlight: new Map() });
    assert.equal((await manager.proxies())[0]?.appliedRevision, 1);
    await manager.reserve([DRAFT], PORTS, 1);
    assert.equal((await recorder.picture(({ revision }) => revision === 2)).instances.length, 2);
  });

  it('never puts an empty registry in the place of one that vanished', async () => {
    await makeRegistry();
    const proxy = watchingProxy();
    await recorder.picture();
    await rm(path);
    await recorder.failure();
    await assert.rejects(proxy.snapshot(), (error) => hasCode(error, 'REGISTRY_UNAVAILABLE'));
    await writeFile(path, '');
    await assert.rejects(proxy.snapshot(), (error) => hasCode(error, 'REGISTRY_BROKEN'));
    assert.equal(recorder.failures.length, 1);
    await rm(path);
    const manager = keep(await openManagerRegistry({ path }));
    assert.equal((await recorder.picture()).registryId, (await manager.snapshot()).registryId);
  });

  it('notices another registry in its place', async () => {
    await makeRegistry();
    await rename(path, `${path}.other`);
    const proxy = watchingProxy();
    const { registryId } = await recorder.picture();
    await proxy.report(NOTHING_IN_FLIGHT);
    await rename(`${path}.other`, path);
    const other = await recorder.picture((picture) => picture.registryId !== registryId);
    assert.equal(other.instances.length, 1);
    await proxy.report(NOTHING_IN_FLIGHT);
    assert.equal((await proxy.proxies()).length, 1);
  });

  it('does not report a revision of another registry as applied', async () => {
    await makeRegistry();
    await rename(path, `${path}.other`);
    const proxy = openProxy();
    await proxy.snapshot();
    await rename(`${path}.other`, path);
    const applied = async (appliedRevision: number) => {
      await proxy.report({ appliedRevision, inFlight: new Map() });
      return (await proxy.proxies())[0]?.appliedRevision;
    };
    assert.equal(await applied(7), null);
    const { revision } = await proxy.snapshot();
    assert.equal(await applied(revision), revision);
  });

  it('fails when the file is overwritten with garbage, and recovers with a good copy', async () => {
    await makeRegistry();
    await copyFile(path, `${path}.copy`);
    const proxy = watchingProxy();
    const before = await recorder.picture();
    await writeFile(path, GARBAGE);
    assert.ok(hasCode(await recorder.failure(), 'REGISTRY_BROKEN'));
    await assert.rejects(proxy.report(NOTHING_IN_FLIGHT), (error) => hasCode(error, 'REGISTRY_BROKEN'));
    await rename(`${path}.copy`, path);
    assert.deepEqual(await recorder.picture(), before);
    assert.equal(recorder.failures.length, 1);
    await proxy.report(NOTHING_IN_FLIGHT);
  });

  it('fails when the file is overwritten although the log still holds every page that matters', async () => {
    const manager = keep(await openManagerRegistry({ path }));
    const message = 'long enough to need new pages'.repeat(40);
    for (let at = 0; at < 20; at += 1) await manager.recordEvent({ ...EVENT, at, message });
    await manager.reserve([DRAFT], PORTS, 1);
    watchingProxy();
    await recorder.picture();
    await writeFile(path, 'short');
    assert.ok(hasCode(await recorder.failure(), 'REGISTRY_BROKEN'));
    await assert.rejects(manager.heartbeat(), (error) => hasCode(error, 'REGISTRY_BROKEN'));
  });

  it('lets a load balancer start on garbage and wait for a good file', async () => {
    await makeRegistry();
    await rename(path, `${path}.good`);
    await writeFile(path, GARBAGE);
    watchingProxy();
    assert.ok(hasCode(await recorder.failure(), 'REGISTRY_BROKEN'));
    await rename(`${path}.good`, path);
    assert.equal((await recorder.picture()).instances.length, 1);
  });

  it('tells a manager that starts on garbage what to do, and leaves file and lock alone', async () => {
    await writeFile(path, GARBAGE);
    for (const attempt of [1, 2])
      await assert.rejects(openManagerRegistry({ path }), (error) => {
        assert.ok(hasCode(error, 'REGISTRY_BROKEN'), `attempt ${attempt}: ${error}`);
        assert.match(error.message, /registry\.db is damaged.*move it away/);
        return true;
      });
    assert.equal(await readFile(path, 'utf8'), GARBAGE);
  });

  it('tells a manager that starts on a file with damaged pages', async () => {
    await makeRegistry();
    const content = await readFile(path);
    await writeFile(path, content.fill(0xa5, 4_096, 12_288));
    await assert.rejects(openManagerRegistry({ path }), (error) => hasCode(error, 'REGISTRY_BROKEN'));
  });

  it('names the row that is not valid, and recovers when it is mended', async () => {
    await makeRegistry();
    const other = openOther();
    watchingProxy();
    await recorder.picture();
    other.run(`UPDATE instances SET lifecycle = 'confused', id = 'web-9000-aaaaaa'`);
    other.run('UPDATE meta SET revision = revision + 1');
    const failure = await recorder.failure();
    assert.ok(hasCode(failure, 'REGISTRY_BROKEN'));
    assert.match(failure.message, /web-9000-aaaaaa of instances.*lifecycle/);
    other.run(`UPDATE instances SET lifecycle = 'ready'`);
    assert.equal((await recorder.picture()).instances[0]?.lifecycle, 'ready');
  });

  it('rejects writes while another connection holds the write lock, without holding the event loop', async () => {
    await makeRegistry();
    const other = openOther();
    const proxy = watchingProxy();
    await recorder.picture();
    other.db.exec('BEGIN EXCLUSIVE');
    let turns = 0;
    const counter = setInterval(() => (turns += 1), 1);
    cleanups.push(() => clearInterval(counter));
    await assert.rejects(proxy.report(NOTHING_IN_FLIGHT), (error) => hasCode(error, 'REGISTRY_UNAVAILABLE'));
    assert.ok(turns > 3, `the event loop turned ${turns} times`);
    assert.equal((await proxy.snapshot()).instances.length, 1);
    other.db.exec('ROLLBACK');
    await proxy.report(NOTHING_IN_FLIGHT);
    assert.deepEqual(recorder.failures, []);
  });

  it('waits for a lock that is let go in time', async () => {
    const manager = keep(await openManagerRegistry({ path }));
    const other = openOther();
    other.db.exec('BEGIN IMMEDIATE');
    const reserved = manager.reserve([DRAFT], PORTS, 1);
    setTimeout(() => other.db.exec('ROLLBACK'), 100);
    assert.equal((await reserved).length, 1);
  });

  it('fails while another connection keeps everybody out, and recovers after it', async () => {
    await makeRegistry();
    const other = openOther();
    other.db.pragma('journal_mode = DELETE');
    other.db.exec('BEGIN EXCLUSIVE');
    const proxy = watchingProxy();
    let turns = 0;
    const counter = setInterval(() => (turns += 1), 1);
    cleanups.push(() => clearInterval(counter));
    assert.ok(hasCode(await recorder.failure(), 'REGISTRY_UNAVAILABLE'));
    await assert.rejects(proxy.snapshot(), (error) => hasCode(error, 'REGISTRY_UNAVAILABLE'));
    assert.ok(turns > 10, `the event loop turned ${turns} times`);
    other.db.exec('ROLLBACK');
    assert.equal((await recorder.picture()).instances.length, 1);
  });
});
