import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { lockFile } from '../../../../internal/proxy/access-log/file-lock.ts';

describe('a lock in the form of a file', () => {
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heimdall-lock-'));
  });
  after(() => rm(dir, { recursive: true }));

  async function leftBehind(name: string): Promise<string> {
    const path = join(dir, name);
    await writeFile(path, '');
    await utimes(path, 0, Date.now() / 1_000 - 60);
    return path;
  }

  it('is had by one, until that gives it back', async () => {
    const path = join(dir, 'one');
    const unlock = await lockFile(path);
    assert.ok(unlock);
    assert.equal(await lockFile(path), null);
    await unlock();
    await (await lockFile(path))?.();
    assert.deepEqual(await readdir(dir), []);
  });

  it('is not kept by who was killed', async () => {
    const path = await leftBehind('killed');
    assert.equal(await lockFile(path), null);
    const unlock = await lockFile(path);
    assert.ok(unlock);
    await unlock();
  });

  // Two find the lock of a dead process. One takes it away and makes its own; the other takes that away, and both go on.
  it('is had by one also when several find that who had it was killed', async () => {
    let [having, most] = [0, 0];
    const contend = async (path: string, rounds: number) => {
      for (let round = 0; round < rounds; round += 1) {
        const unlock = await lockFile(path);
        if (unlock === null) continue;
        having += 1;
        most = Math.max(most, having);
        for (let turns = 0; turns < 20; turns += 1) await turn();
        having -= 1;
        await unlock();
      }
    };
    for (let trial = 0; trial < 50; trial += 1) {
      const path = await leftBehind(`contended-${trial}`);
      await Promise.all([contend(path, 4), contend(path, 4)]);
    }
    assert.equal(most, 1);
    const left = (await readdir(dir)).filter((name) => name.includes('.'));
    assert.deepEqual(left, []);
  });
});
