import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { outputPaths, tailOf } from '../../../internal/server/log-tail.ts';

describe('tailOf', () => {
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heimdall-tail-'));
  });
  after(() => rm(dir, { recursive: true }));

  it('shows the last lines of both streams, those of standard error last', async () => {
    const [out, err] = outputPaths(dir, 'web-9001-a1b2c3');
    await writeFile(out, 'one\ntwo\nthree\n');
    await writeFile(err, 'oh\nno\n');
    const outputs = [out, err].map((path) => ({ path, from: 0, since: 0 }));
    assert.deepEqual(await tailOf(outputs, 4), ['two', 'three', 'oh', 'no']);
  });

  it('shows nothing of earlier runs', async () => {
    const path = join(dir, 'runs.log');
    await writeFile(path, 'earlier\n');
    const { size } = await stat(path);
    await appendFile(path, 'now\n');
    assert.deepEqual(await tailOf([{ path, from: size, since: Date.now() }]), ['now']);
    await writeFile(path, 'new\n'); // truncated below the offset
    assert.deepEqual(await tailOf([{ path, from: size, since: Date.now() }]), ['new']);
  });

  it('goes on with what the run has written before its file was put aside', async () => {
    const path = join(dir, 'aside.log');
    await writeFile(`${path}.1`, 'earlier\nfirst\nsecond\n');
    await writeFile(path, 'third\n');
    const { mtimeMs } = await stat(`${path}.1`);
    const from = 'earlier\n'.length;
    assert.deepEqual(await tailOf([{ path, from, since: mtimeMs - 1 }]), ['first', 'second', 'third']);
    assert.deepEqual(await tailOf([{ path, from: 0, since: mtimeMs + 1 }]), ['third'], 'put aside before the run');
    await writeFile(path, 'earlier\nfirst\nsecond\n');
    assert.deepEqual(
      await tailOf([{ path, from, since: mtimeMs - 1 }]),
      ['first', 'second'],
      'copied, not emptied yet',
    );
  });

  it('reads only the end of a huge file, and no line in halves', async () => {
    const path = join(dir, 'huge.log');
    await writeFile(path, `${'x'.repeat(200_000)}\nlast\n`);
    assert.deepEqual(await tailOf([{ path, from: 0, since: 0 }]), ['last']);
  });

  it('is empty for a file that is not there', async () => {
    assert.deepEqual(await tailOf([{ path: join(dir, 'none.log'), from: 0, since: 0 }]), []);
  });
});
