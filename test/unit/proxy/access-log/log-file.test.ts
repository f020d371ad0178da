import assert from 'node:assert/strict';
import {
  appendFile,
  type FileHandle,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LogFile, type Rotation } from '../../../../internal/proxy/access-log/log-file.ts';

/** By which files that were moved away are noticed. */
let now = 0;

describe('the file of the access log', () => {
  let dir = '';
  let count = 0;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heimdall-log-'));
  });
  after(() => rm(dir, { recursive: true }));

  function fileAt(path: string, rotation: Rotation | null = null) {
    const file = new LogFile(path, rotation, () => now);
    return {
      path,
      write: (text: string) => file.write(Buffer.from(text)),
      [Symbol.asyncDispose]: () => file.close(),
    };
  }

  function freshPath(): string {
    count += 1;
    return join(dir, String(count), 'folder', 'access.log');
  }

  /** What there is beside the file and in it, by its name. */
  async function contents(path: string): Promise<Record<string, string>> {
    const names = await readdir(join(path, '..'));
    const texts = names.toSorted().map(async (name) => [name, await readFile(join(path, '..', name), 'utf8')] as const);
    return Object.fromEntries(await Promise.all(texts));
  }

  it('is made with its folder, for its owner and group alone, and goes on where it ended', async () => {
    const path = freshPath();
    for (const text of ['one\n', 'two\n']) {
      await using file = fileAt(path);
      await file.write(text);
    }
    assert.deepEqual(await contents(path), { 'access.log': 'one\ntwo\n' });
    assert.equal((await stat(path)).mode & 0o007, 0);
  });

  it('is put aside before it becomes too large, and so many are kept', async () => {
    await using file = fileAt(freshPath(), { maxSize: 10, keep: 2 });
    for (const text of ['aaaa\n', 'bbbb\n', 'cccc\n', 'dddd\neeee\n', 'ffff\n', 'longer than may be\n'])
      await file.write(text);
    assert.deepEqual(await contents(file.path), {
      'access.log': 'longer than may be\n',
      'access.log.1': 'ffff\n',
      'access.log.2': 'dddd\neeee\n',
    });
    await writeFile(`${file.path}.bak`, 'of somebody else\n');
    await writeFile(`${file.path}.7`, 'of a time when more were kept\n');
    await file.write('gggg\n');
    const { 'access.log.bak': others, ...ours } = await contents(file.path);
    assert.equal(others, 'of somebody else\n');
    assert.deepEqual(ours, {
      'access.log': 'gggg\n',
      'access.log.1': 'longer than may be\n',
      'access.log.2': 'ffff\n',
    });
  });

  it('is put aside within what is written at once, too, between lines', async () => {
    await using file = fileAt(freshPath(), { maxSize: 10, keep: 2 });
    await file.write('aaaa\nbbbb\ncccc\nlonger than may be\ndddd\n');
    assert.deepEqual(await contents(file.path), {
      'access.log': 'dddd\n',
      'access.log.1': 'longer than may be\n',
      'access.log.2': 'cccc\n',
    });
  });

  it('begins anew when none are kept', async () => {
    await using file = fileAt(freshPath(), { maxSize: 10, keep: 0 });
    for (const text of ['aaaa\n', 'bbbb\n', 'cccc\n']) await file.write(text);
    assert.deepEqual(await contents(file.path), { 'access.log': 'cccc\n' });
  });

  it('is made anew when somebody else has moved or deleted it; until that is noticed, lines follow it', async () => {
    await using file = fileAt(freshPath());
    await file.write('one\n');
    await rename(file.path, `${file.path}.old`);
    await file.write('two\n');
    now += 1_000;
    await file.write('three\n');
    assert.deepEqual(await contents(file.path), { 'access.log': 'three\n', 'access.log.old': 'one\ntwo\n' });
    await rm(file.path);
    now += 1_000;
    await file.write('four\n');
    assert.equal((await contents(file.path))['access.log'], 'four\n');
  });

  it('takes lines of two processes, and none is lost or cut when both put it aside', async () => {
    const path = freshPath();
    await using one = fileAt(path, { maxSize: 4_000, keep: 1_000 });
    await using other = fileAt(path, { maxSize: 4_000, keep: 1_000 });
    const batch = (of: string, n: number) =>
      Array.from({ length: 10 }, (_, i) => `${of}-${n}-${i} some more\n`).join('');
    const write = async (file: typeof one, of: string) => {
      for (let n = 0; n < 100; n += 1) {
        now += 100;
        await file.write(batch(of, n));
      }
    };
    await Promise.all([write(one, 'one'), write(other, 'other')]);
    const texts = Object.values(await contents(path));
    const lines = texts.flatMap((text) => text.trimEnd().split('\n'));
    assert.equal(new Set(lines).size, 2_000);
    assert.ok(lines.every((line) => /^(one|other)-\d+-\d some more$/.test(line)));
    assert.ok(texts.length >= 5, 'it was put aside');
  });

  it('is put aside also after a process was killed while it did that', async () => {
    await using file = fileAt(freshPath(), { maxSize: 10, keep: 1 });
    await file.write('aaaa\n');
    const lock = `${file.path}.lock`;
    await writeFile(lock, '');
    await file.write('bbbb bbbb\n');
    await utimes(lock, 0, Date.now() / 1_000 - 60);
    for (const text of ['cccc\n', 'dddd\n']) await file.write(text);
    assert.deepEqual(await contents(file.path), {
      'access.log': 'dddd\n',
      'access.log.1': 'aaaa\nbbbb bbbb\ncccc\n',
    });
  });

  it('begins on a line of its own, whoever was cut off in the one before', async () => {
    await using file = fileAt(freshPath());
    await file.write('one\n');
    await appendFile(file.path, 'of a process whose disk was fu');
    await using next = fileAt(file.path);
    await next.write('two\n');
    assert.equal((await contents(file.path))['access.log'], 'one\nof a process whose disk was fu\ntwo\n');
  });

  it('begins on a line of its own in a file that another process has begun, and was cut off in', async () => {
    await using file = fileAt(freshPath(), { maxSize: 10, keep: 1 });
    await file.write('one\ntwo\n');
    await rename(file.path, `${file.path}.1`);
    await writeFile(file.path, 'cut');
    await file.write('three\n');
    assert.deepEqual(await contents(file.path), { 'access.log': 'cut\nthree\n', 'access.log.1': 'one\ntwo\n' });
  });

  /** Lets so many octets of a write to any file through, and no more until it is disposed of. */
  async function fillDisk(left: number): Promise<Disposable & { readonly left: number }> {
    await using handle = await open(dir);
    const kind: Pick<FileHandle, 'write'> = Object.getPrototypeOf(handle);
    const { write } = kind;
    const limited = async function (this: FileHandle, octets: Uint8Array, from: number): Promise<unknown> {
      if (left === 0) throw new Error('ENOSPC: no space left on device');
      const length = Math.min(left, octets.length - from);
      left -= length;
      return Reflect.apply(write, this, [octets, from, length]);
    };
    Object.assign(kind, { write: limited });
    return {
      get left() {
        return left;
      },
      [Symbol.dispose]: () => {
        Object.assign(kind, { write });
      },
    };
  }

  it('goes on in the line that a full disk has cut off', async () => {
    await using file = fileAt(freshPath());
    await file.write('one\n');
    {
      using disk = await fillDisk(7);
      await assert.rejects(file.write('two\nthree\nlost\n'), /ENOSPC/);
      await assert.rejects(file.write('lost too\n'), /ENOSPC/);
      assert.equal(disk.left, 0);
    }
    await file.write('four\n');
    assert.deepEqual(await contents(file.path), { 'access.log': 'one\ntwo\nthree\nfour\n' });
  });

  it('goes on in it also when the memory of the lines has been used again', async () => {
    const path = freshPath();
    const file = new LogFile(path, null, () => now);
    const memory = Buffer.from('one\n');
    {
      using disk = await fillDisk(2);
      await assert.rejects(file.write(memory), /ENOSPC/);
      assert.equal(disk.left, 0);
    }
    memory.write('xyz\n');
    await file.write(memory);
    await file.close();
    assert.deepEqual(await contents(path), { 'access.log': 'one\nxyz\n' });
  });

  it('only ends the line that was cut off when another process has written behind it', async () => {
    await using file = fileAt(freshPath());
    {
      using disk = await fillDisk(2);
      await assert.rejects(file.write('one\n'), /ENOSPC/);
      assert.equal(disk.left, 0);
    }
    await appendFile(file.path, '\ntwo\nth');
    await file.write('four\n');
    assert.deepEqual(await contents(file.path), { 'access.log': 'on\ntwo\nth\nfour\n' });
  });

  it('tells when it cannot be written, and goes on when it can', async () => {
    const path = freshPath();
    await writeFile(join(dir, String(count)), 'in the way');
    await using file = fileAt(path);
    await assert.rejects(file.write('lost\n'), /ENOTDIR|EEXIST/);
    await rm(join(dir, String(count)));
    await file.write('kept\n');
    assert.deepEqual(await contents(path), { 'access.log': 'kept\n' });
  });
});
