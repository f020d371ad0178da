import assert from 'node:assert/strict';
import { appendFile, mkdtemp, mkdtempDisposable, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { hasOutput, outputPaths, tailOf } from '../../../internal/server/log-tail.ts';

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

describe('hasOutput', () => {
  // GET /servers/..%2f..%2fetc%2fpasswd/logs: what stands for an id is a client's, and becomes part of a path. It has to be a name
  // of a file that is there, and nothing that leads to one.
  it('takes names of files, no ways to them', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'heimdall-has-output-'));
    await writeFile(join(folder.path, 'web-9000-k3x9f2.err.log'), '');
    const names = ['web-9000-k3x9f2', './web-9000-k3x9f2', 'x/../web-9000-k3x9f2', 'web-9000', '', '..'];
    assert.deepEqual(await Promise.all(names.map((name) => hasOutput(folder.path, name))), [
      true,
      ...names.slice(1).map(() => false),
    ]);
  });

  it('finds none where somebody has deleted the folder', async () => {
    assert.equal(await hasOutput(join(tmpdir(), 'heimdall-no-such-folder'), 'web-9000-k3x9f2'), false);
  });
});
