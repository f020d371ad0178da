import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import type { HeimdallError } from '../../internal/model/errors.ts';
import type { RegistryWriter } from '../../internal/registry/registry.ts';
import { backupRegistry } from '../../internal/registry/sqlite/backup.ts';
import { copyFaultOf } from '../../internal/registry/sqlite/faults.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import { restoreRegistry } from '../../internal/registry/sqlite/restore.ts';
import { DRAFT } from '../support/instance-draft.ts';

const PORTS = [9_000, 9_001, 9_002, 9_003];
const EVENT = { type: 'manager.started', service: null, instanceId: null, data: {} } as const;
const NOTHING_IN_FLIGHT = { appliedRevision: 1, inFlight: new Map<string, number>() };

describe('the backup of a registry', () => {
  let folder: string;
  let path: string;
  let file: string;
  let manager: RegistryWriter | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-backup-'));
    path = join(folder, 'registry.db');
    file = join(folder, 'copy.db');
  });
  afterEach(async () => {
    await manager?.close();
    manager = undefined;
    await rm(folder, { recursive: true });
  });

  async function managed(): Promise<RegistryWriter> {
    manager = await openManagerRegistry({ path });
    return manager;
  }
  /** With one instance, of which a backup has been made; then a second one, and nobody who manages. */
  async function backedUp(): Promise<void> {
    const writer = await managed();
    await writer.reserve([DRAFT], PORTS, 1);
    await backupRegistry({ from: path, to: file, replace: false });
    await writer.reserve([DRAFT], PORTS, 1);
    await writer.close();
  }
  function files(): Promise<string[]> {
    return readdir(folder);
  }

  it('is one picture of the moment it began, however much is written meanwhile, and needs no log', async () => {
    const writer = await managed();
    await writer.reserve([DRAFT], PORTS, 1);
    const message = 'x'.repeat(10_000);
    for (let count = 0; count < 1_500; count += 1) await writer.recordEvent({ ...EVENT, at: 1, message });
    const parts: number[] = [];
    let written = Promise.resolve();
    const made = await backupRegistry({
      from: path,
      to: file,
      replace: false,
      onProgress: (part) => {
        parts.push(part);
        written = writer.recordEvent({ ...EVENT, at: 2, message: 'too late' });
      },
    });
    await written;
    assert.ok(parts.length > 2, `${parts.length} steps`);
    assert.ok(
      parts.every((part, index) => part >= (parts[index - 1] ?? 0)),
      'it never began again',
    );
    const { events, instances, deployments, revision, bytes } = made;
    assert.deepEqual(
      { events, instances, deployments, revision },
      { events: 1_500, instances: 1, deployments: 0, revision: 1 },
    );
    const { mode, size } = await stat(file);
    assert.equal(mode & 0o777, 0o600);
    assert.equal(size, bytes);
    assert.deepEqual(
      (await files()).filter((name) => name.startsWith('copy')),
      ['copy.db'],
    );
    assert.equal((await readFile(file)).readUInt8(18), 1, 'the write version of a file without a log');
  });

  it('replaces no file unless it is told to, and leaves nothing of one that fails', async () => {
    await backedUp();
    const before = await readFile(file);
    const again = { from: path, to: file };
    await assert.rejects(
      backupRegistry({ ...again, replace: false }),
      /exists already\. Name another file, or add --force/,
    );
    assert.deepEqual(await readFile(file), before);
    assert.equal((await backupRegistry({ ...again, replace: true })).instances, 2);
    await assert.rejects(backupRegistry({ from: path, to: path, replace: true }), /is the registry itself/);
    await assert.rejects(
      backupRegistry({ from: join(folder, 'none.db'), to: file, replace: true }),
      /There is no registry/,
    );
    const elsewhere = join(folder, 'none', 'copy.db');
    await assert.rejects(backupRegistry({ from: path, to: elsewhere, replace: true }), /cannot be written: ENOENT/);
    await writeFile(path, 'this is no registry\n'.repeat(1_000));
    await assert.rejects(backupRegistry({ ...again, replace: true }), { code: 'REGISTRY_BROKEN' });
    assert.deepEqual((await files()).toSorted(), ['copy.db', 'registry.db']);
  });

  it('does not blame the registry when there is no room for the copy', () => {
    const full = new Database.SqliteError('database or disk is full', 'SQLITE_FULL');
    const fault = (error: Error) => String(copyFaultOf(error, '/srv/registry.db', '/mnt/copy.db'));
    assert.match(fault(full), /: \/mnt\/copy\.db cannot be written: there is no room left on its disk\.$/);
    const broken = new Database.SqliteError('malformed', 'SQLITE_CORRUPT');
    assert.match(fault(broken), /: The registry \/srv\/registry\.db is damaged/);
  });

  it('comes back as a registry of its own, with what was known then, and the one before is kept', async () => {
    await backedUp();
    const writer = await managed();
    const { registryId, revision } = await writer.snapshot();
    await writer.close();
    const restored = await restoreRegistry({ file, path });
    assert.deepEqual([restored.instances, restored.revision], [1, 1]);
    const kept = await openManagerRegistry({ path: restored.before ?? '' });
    assert.deepEqual(
      { ...(await kept.snapshot()), instances: [], services: [] },
      { registryId, revision, instances: [], services: [] },
    );
    assert.equal((await kept.snapshot()).instances.length, 2);
    await kept.close();

    const next = await managed();
    const picture = await next.snapshot();
    assert.equal(picture.instances.length, 1);
    assert.notEqual(picture.registryId, registryId);
    const [event] = await next.events({ limit: 1 });
    assert.deepEqual([event?.type, event?.data], ['registry.restored', { file, revision: 1 }]);
    assert.deepEqual(await next.proxies(), []);
  });

  it('is not put in the place of a registry that is in use', async () => {
    await backedUp();
    const writer = await managed();
    const size = (await stat(path)).size;
    await assert.rejects(restoreRegistry({ file, path }), { code: 'MANAGER_RUNNING' });
    await writer.close();
    const proxy = openProxyRegistry({ path, proxyId: 'a', pid: 4_711 });
    await proxy.report(NOTHING_IN_FLIGHT);
    const beating = setInterval(() => void proxy.report(NOTHING_IN_FLIGHT), 50);
    const refused = assert.rejects(restoreRegistry({ file, path }), (error: HeimdallError) => {
      return (
        error.code === 'REGISTRY_UNAVAILABLE' && /load balancer \(pid 4711\) uses the registry/.test(error.message)
      );
    });
    await refused.finally(() => clearInterval(beating));
    await proxy.close();
    assert.equal((await stat(path)).size, size);
    assert.deepEqual((await files()).toSorted(), ['copy.db', 'registry.db']);
  });

  it('takes the place of one whose load balancers were killed as soon as their heartbeats are too old', async () => {
    await backedUp();
    const proxy = openProxyRegistry({ path, proxyId: 'a', pid: 4_711 });
    await proxy.report(NOTHING_IN_FLIGHT);
    await proxy.close();
    let now = Date.now();
    const restored = await restoreRegistry({ file, path, clock: () => (now += 2_000) });
    assert.equal(restored.instances, 1);
  });

  it('comes back also where the registry is damaged or gone, and the log of another one is not replayed onto it', async () => {
    await backedUp();
    const writer = await managed();
    await writer.reserve([DRAFT], PORTS, 1); // is in the log alone
    await copyFile(`${path}-wal`, join(folder, 'log'));
    await writer.close();
    await copyFile(join(folder, 'log'), `${path}-wal`);
    await writeFile(path, 'this is no registry\n'.repeat(1_000));
    const { before } = await restoreRegistry({ file, path });
    assert.match(await readFile(before ?? '', 'utf8'), /^this is no registry/);
    assert.deepEqual(await readFile(`${before}-wal`), await readFile(join(folder, 'log')));
    assert.equal((await (await managed()).snapshot()).instances.length, 1);
    await manager?.close();
    await rm(path);
    assert.equal((await restoreRegistry({ file, path })).before, null);
    assert.equal((await (await managed()).snapshot()).instances.length, 1);
  });

  it('is refused when it is none, and the registry stays as it is', async () => {
    await backedUp();
    const before = await readFile(path);
    const bad = join(folder, 'bad.db');
    const refusal = async (change: (content: Buffer) => Buffer) => {
      await writeFile(bad, change(await readFile(file)));
      return restoreRegistry({ file: bad, path }).then(
        () => 'accepted',
        (error: unknown) => (error instanceof Error ? error.message : ''),
      );
    };
    assert.match(await refusal(() => Buffer.from('text')), /it is no SQLite database/);
    assert.match(
      await refusal((content) => Buffer.concat([content.subarray(0, 68), Buffer.alloc(4), content.subarray(72)])),
      /it is no registry of heimdall/,
    );
    assert.match(await refusal((content) => content.fill(99, 63, 64)), /made by a newer heimdall: its schema is 99/);
    assert.match(await refusal((content) => content.subarray(0, 8_192)), /it is damaged/);
    await assert.rejects(restoreRegistry({ file: join(folder, 'none.db'), path }), /There is no file/);
    assert.deepEqual(await readFile(path), before);
    assert.deepEqual((await files()).toSorted(), ['bad.db', 'copy.db', 'registry.db']);
  });
});
