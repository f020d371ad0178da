import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { appendFile, mkdtemp, open, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LogRotation } from '../../../internal/server/log-rotation.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';

const LIMITS = { maxSize: 10, keep: 2, total: 1_000 };
const silent = createLogger({ name: 'test', level: 'silent' });

async function folder() {
  const dir = await mkdtemp(join(tmpdir(), 'heimdall-rotation-'));
  return {
    dir,
    path: (name: string) => join(dir, name),
    text: (name: string) => readFile(join(dir, name), 'utf8'),
    names: async () => (await readdir(dir)).toSorted(),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  };
}

describe('the rotation of logs', () => {
  it('puts a file aside that has become too large, and keeps so many of them', async () => {
    await using logs = await folder();
    const rotation = new LogRotation(logs.dir, LIMITS, silent);
    const name = 'web-9000.out.log';
    for (const letter of ['a', 'b', 'c', 'd']) {
      await appendFile(logs.path(name), letter.repeat(11));
      await rotation.run(() => new Set([logs.path(name)]));
      assert.equal(await logs.text(name), '');
    }
    assert.deepEqual(await logs.names(), [name, `${name}.1`, `${name}.2`]);
    assert.deepEqual([await logs.text(`${name}.1`), await logs.text(`${name}.2`)], ['d'.repeat(11), 'c'.repeat(11)]);
    await appendFile(logs.path(name), 'x'.repeat(10));
    await rotation.run(() => new Set());
    assert.equal(await logs.text(name), 'x'.repeat(10), 'not too large yet');
  });

  it('loses nothing of a process that goes on writing, and leaves no hole in its file', async () => {
    await using logs = await folder();
    const rotation = new LogRotation(logs.dir, LIMITS, silent);
    const path = logs.path('web-9000.err.log');
    const writer = await open(path, 'a');
    await writer.write('before it, and long\n');
    await rotation.run(() => new Set([path]));
    await writer.write('after\n');
    await writer.close();
    assert.deepEqual(
      [await logs.text('web-9000.err.log.1'), await logs.text('web-9000.err.log')],
      ['before it, and long\n', 'after\n'],
    );
  });

  it('keeps none of them when none are wanted', async () => {
    await using logs = await folder();
    await writeFile(logs.path('web-9000.out.log'), 'x'.repeat(11));
    await new LogRotation(logs.dir, { ...LIMITS, keep: 0 }, silent).run(() => new Set([logs.path('web-9000.out.log')]));
    assert.deepEqual(await logs.names(), ['web-9000.out.log']);
    assert.equal(await logs.text('web-9000.out.log'), '');
  });

  it('bounds all files together: the oldest that nobody writes to go first, and nothing else', async () => {
    await using logs = await folder();
    const files = [
      'web-1.out.log',
      'web-2.out.log',
      'web-2.out.log.1',
      'web-3.err.log',
      'registry.db',
      'web-4.out.log.7',
    ];
    for (const [age, name] of files.entries()) {
      await writeFile(logs.path(name), 'x'.repeat(10));
      await utimes(logs.path(name), 1_000 + age, 1_000 + age);
    }
    const rotation = new LogRotation(logs.dir, { ...LIMITS, total: 30 }, silent);
    await rotation.run(() => new Set([logs.path('web-1.out.log')]));
    assert.deepEqual(await logs.names(), ['registry.db', 'web-1.out.log', 'web-3.err.log', 'web-4.out.log.7']);
    rotation.use({ ...LIMITS, total: 1 });
    await rotation.run(() => new Set([logs.path('web-1.out.log')]));
    assert.deepEqual(await logs.names(), ['registry.db', 'web-1.out.log']);
  });

  it('keeps the latest of what instances that are gone have written, and no empty file of them', async () => {
    await using logs = await folder();
    const [empty, running] = ['web-9000-aaaaaa.err.log', 'web-9000-bbbbbb.err.log'];
    for (const name of [empty, running, `${running}.1`]) await writeFile(logs.path(name), '');
    for (let n = 1000; n < 1203; n += 1) {
      await writeFile(logs.path(`web-${n}.out.log`), 'x');
      await utimes(logs.path(`web-${n}.out.log`), n, n);
    }
    const created = 'web-9000-cccccc.out.log';
    await new LogRotation(logs.dir, LIMITS, silent).run(() => {
      writeFileSync(logs.path(created), ''); // by an instance that starts just now
      return new Set([logs.path(running)]);
    });
    const names = await logs.names();
    assert.deepEqual(names.slice(0, 2), ['web-1003.out.log', 'web-1004.out.log']);
    assert.deepEqual(names.slice(-3), [running, `${running}.1`, created]);
    assert.equal(names.length, 203);
  });

  it('says once that it cannot', async () => {
    const told: unknown[] = [];
    const log = { error: (fields: unknown) => told.push(fields) };
    const rotation = new LogRotation('/nowhere', LIMITS, log as never);
    await rotation.run(() => new Set());
    await rotation.run(() => new Set());
    assert.equal(told.length, 1);
  });
});
