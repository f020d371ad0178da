import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { LogReader } from '../../../internal/server/log-reader.ts';
import { LogRotation } from '../../../internal/server/log-rotation.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';

const NEVER = new AbortController().signal;

describe('a reader of a log', () => {
  let dir = '';
  let path = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heimdall-reader-'));
  });
  beforeEach(async () => {
    path = join(dir, 'web-9000.out.log');
    await writeFile(path, '');
  });
  after(() => rm(dir, { recursive: true }));

  it('gives the last lines, and not the one that has only begun', async () => {
    await writeFile(path, 'one\ntwo\r\n\nfour\nbeg');
    assert.deepEqual(await new LogReader(path).last(3), ['two', '', 'four']);
    assert.deepEqual(await new LogReader(path).last(0), []);
    assert.deepEqual(await new LogReader(path).last(10), ['one', 'two', '', 'four']);
    assert.deepEqual(await new LogReader(join(dir, 'none.log')).last(10), []);
  });

  it('goes on with the line that had begun, whatever character it was cut in', async () => {
    const text = Buffer.from('begun \u{1F600}\nnext\n');
    await writeFile(path, Buffer.concat([Buffer.from('old\n'), text.subarray(0, 8)]));
    const reader = new LogReader(path);
    assert.deepEqual(await reader.last(5), ['old']);
    const next = reader.next(NEVER);
    await appendFile(path, text.subarray(8));
    assert.deepEqual(await next, ['begun \u{1F600}', 'next']);
  });

  it('reads only the end of a huge file, and no line in halves', async () => {
    await writeFile(path, `${'x'.repeat(5_000_000)}\n${'y\n'.repeat(200_000)}last\n`);
    assert.deepEqual(await new LogReader(path).last(2), ['y', 'last']);
  });

  it('misses no line when the file is put aside', async () => {
    await writeFile(path, 'one\n');
    const reader = new LogReader(path);
    assert.deepEqual(await reader.last(1), ['one']);
    await appendFile(path, 'two\nthree\n');
    const rotation = new LogRotation(
      dir,
      { maxSize: 1, keep: 1, total: 1_000 },
      createLogger({ name: 't', level: 'silent' }),
    );
    await rotation.run(() => new Set([path]));
    await appendFile(path, 'four\n');
    assert.deepEqual(await reader.next(NEVER), ['two', 'three']);
    assert.deepEqual(await reader.next(NEVER), ['four']);
  });

  it('ends when it is told to, with nothing', async () => {
    const reader = new LogReader(path);
    await reader.last(0);
    const over = new AbortController();
    const next = reader.next(over.signal);
    over.abort();
    assert.deepEqual(await next, []);
  });
});
