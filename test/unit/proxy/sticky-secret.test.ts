import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { loadCookieSecret } from '../../../internal/proxy/sticky-secret.ts';

describe('the secret of sticky cookies', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heimdall-secret-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('is made once, kept, and readable by its owner alone', async () => {
    const data = join(dir, 'data');
    const secret = await loadCookieSecret(data);
    assert.match(secret, /^[\w-]{43}$/);
    assert.equal(await loadCookieSecret(data), secret);
    assert.deepEqual(await readdir(data), ['cookie-secret']);
    assert.equal((await stat(join(data, 'cookie-secret'))).mode & 0o777, 0o600);
  });

  it('is the same for all that start at the same time', async () => {
    const secrets = await Promise.all(Array.from({ length: 20 }, () => loadCookieSecret(dir)));
    assert.equal(new Set(secrets).size, 1);
    assert.deepEqual(await readdir(dir), ['cookie-secret']);
  });

  // An empty secret signs for everybody: whoever knows how instances are called could write any cookie.
  it('replaces a file that a crash or a full disk left empty', async () => {
    for (const broken of ['', '\n', 'short']) {
      await writeFile(join(dir, 'cookie-secret'), broken);
      const secret = await loadCookieSecret(dir);
      assert.match(secret, /^[\w-]{43}$/);
      assert.equal(await readFile(join(dir, 'cookie-secret'), 'utf8'), secret);
    }
  });

  it('passes on why the folder cannot be used', async () => {
    await writeFile(join(dir, 'file'), '');
    await assert.rejects(loadCookieSecret(join(dir, 'file')), { code: 'ENOTDIR' });
  });
});
