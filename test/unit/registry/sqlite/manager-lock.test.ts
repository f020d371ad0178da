import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { hasCode } from '../../../../internal/model/errors.ts';
import { acquireManagerLock } from '../../../../internal/registry/sqlite/manager-lock.ts';

describe('the manager lock', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-lock-'));
    path = join(folder, 'registry.db');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const refused = (error: unknown) => hasCode(error, 'MANAGER_RUNNING') && error.message.includes(path);

  it('is held by one at a time, also after a refused attempt', async () => {
    const lock = await acquireManagerLock(path);
    await assert.rejects(acquireManagerLock(path), refused);
    await assert.rejects(acquireManagerLock(path), refused);
    lock.release();
    (await acquireManagerLock(path)).release();
  });

  it('takes its file away on release, and releases once', async () => {
    const lock = await acquireManagerLock(path);
    assert.ok(existsSync(`${path}.manager-lock`));
    lock.release();
    assert.ok(!existsSync(`${path}.manager-lock`));
    const next = await acquireManagerLock(path);
    lock.release();
    assert.ok(existsSync(`${path}.manager-lock`), 'a second release took the lock of another manager');
    next.release();
  });
});
