import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readHoldPage } from '../../../internal/proxy/hold-page.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';

describe('the page for those who are held in vain', () => {
  const warned: unknown[] = [];
  const log = createLogger({ name: 'test', level: 'silent' });
  log.warn = (facts: unknown) => void warned.push(facts);
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heimdall-page-'));
  });
  after(() => rm(dir, { recursive: true }));

  it('is the file, as UTF-8', async () => {
    await writeFile(join(dir, 'page.html'), '<h1>Gleich zurück</h1>');
    assert.equal(readHoldPage(join(dir, 'page.html'), 'web', log), '<h1>Gleich zurück</h1>');
    assert.deepEqual(warned, []);
  });

  it('is none, with a warning, where there is no such file, or none that can be given to everybody', async () => {
    await writeFile(join(dir, 'large.html'), '');
    await truncate(join(dir, 'large.html'), 2 * 1024 * 1024);
    for (const name of ['missing.html', '.', 'large.html']) {
      assert.equal(readHoldPage(join(dir, name), 'web', log), null);
    }
    assert.equal(warned.length, 3);
  });
});
