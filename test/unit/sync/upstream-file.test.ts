import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { UpstreamFile } from '../../../internal/sync/nginx/upstream-file.ts';

describe('the file of upstreams', () => {
  let root = '';
  let folder = '';
  let path = '';
  let n = 0;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'heimdall-upstreams-'));
  });
  beforeEach(async () => {
    n += 1;
    folder = await mkdtemp(join(root, `${n}-`));
    path = join(folder, 'up.conf');
  });
  after(() => rm(root, { recursive: true }));

  it('is replaced with its mode, and nothing else stays behind once it is confirmed', async () => {
    await writeFile(path, 'old');
    await chmod(path, 0o600);
    const file = await UpstreamFile.at(path);
    await file.write('new');
    assert.equal(await file.isPending(), true);
    await file.confirm();
    assert.deepEqual([await file.read(), await file.isPending(), await readdir(folder)], ['new', false, ['up.conf']]);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it('has the last confirmed text again after several that were not', async () => {
    const file = await UpstreamFile.at(path);
    await file.write('good');
    await file.confirm();
    await file.write('bad');
    await file.write('worse');
    await file.restore();
    assert.deepEqual([await file.read(), await file.isPending()], ['good', false]);
  });

  it('is known to the next run as unconfirmed when one was killed in between', async () => {
    await (await UpstreamFile.at(path)).write('new');
    const next = await UpstreamFile.at(path);
    assert.equal(await next.isPending(), true);
    await next.restore();
    assert.equal(await next.read(), '');
  });

  it('stays a link where it is one', async () => {
    const target = join(folder, 'target');
    await writeFile(target, 'old');
    await symlink(target, path);
    const file = await UpstreamFile.at(path);
    await file.write('new');
    await file.confirm();
    assert.equal(await readFile(target, 'utf8'), 'new');
    assert.deepEqual((await readdir(folder)).toSorted(), ['target', 'up.conf']);
  });

  it('stays a link to what is not there yet', async () => {
    await symlink('target', path);
    const file = await UpstreamFile.at(path);
    await file.write('new');
    await file.confirm();
    assert.equal(await readFile(join(folder, 'target'), 'utf8'), 'new');
    assert.deepEqual((await readdir(folder)).toSorted(), ['target', 'up.conf']);
  });

  it('says why it cannot be written', async () => {
    const file = await UpstreamFile.at(join(folder, 'missing', 'up.conf'));
    await assert.rejects(file.write('new'), { name: 'FrontError', message: /up\.conf cannot be written: ENOENT/ });
  });
});
