import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findPm2 } from '../../zero-loss/peers/pm2/installation.ts';

describe('pm2', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-pm2-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('that is not there is told with what to install', () => {
    const found = findPm2(folder);
    assert.match('missing' in found ? found.missing : '', /npm install .*pm2@7/);
  });

  it('is found in the folder where it was installed', async () => {
    const root = join(folder, 'node_modules', 'pm2');
    await mkdir(join(root, 'bin'), { recursive: true });
    await writeFile(join(root, 'bin', 'pm2'), '');
    await writeFile(join(root, 'package.json'), '{"name": "pm2", "version": "7.0.4"}');
    assert.deepEqual(findPm2(folder), { bin: join(root, 'bin', 'pm2'), version: '7.0.4' });
  });
});
