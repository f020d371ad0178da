import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { LogOutput } from '../../../pkg/logger/log-output.ts';
import { eventually } from '../../support/proxy-raw.ts';

const MODULE = join(import.meta.dirname, '../../../pkg/logger/logger.ts');

/** A process whose log nobody reads until the test does. @param then - what it does when its lines are told. */
function talker(lines: number, then: string): ChildProcessWithoutNullStreams {
  const script = `
    const { createLogger } = await import(${JSON.stringify(MODULE)});
    const log = createLogger({ name: 'talker', level: 'info' });
    for (let i = 0; i < ${lines}; i += 1) log.info({ i }, 'a line');
    process.stderr.write('all told');
    ${then}
  `;
  return spawn(process.execPath, ['--input-type=module', '-e', script]);
}

async function allTold({ stderr }: ChildProcessWithoutNullStreams): Promise<void> {
  const [said] = await once(stderr, 'data');
  assert.equal(String(said), 'all told');
}

interface Line {
  readonly msg: string;
  readonly i?: number;
  readonly dropped?: number;
}

describe('a log into a pipe', () => {
  // Whoever runs heimdall with its output in a pipe (`| less`) and looks away would stop health checks, alerts and the
  // admin port: a pipe takes 64 KiB, and the next line waits for the reader.
  it('goes on while nobody reads, and tells afterwards how much is missing', async () => {
    const lines = 20_000; // of some 100 octets: twice of what may wait
    const child = talker(lines, `process.stdin.once('data', () => { log.info('last words'); process.exit(0); });`);
    await allTold(child);
    const told: Line[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      told.push(JSON.parse(line));
      if (told.at(-1)?.dropped !== undefined) child.stdin.write('go on\n');
    }
    const [before, after] = [told.filter(({ i }) => i !== undefined), told.slice(-2)];
    assert.deepEqual(
      before.map(({ i }) => i),
      before.map((_, index) => index),
    );
    assert.deepEqual(
      after.map(({ msg, dropped }) => [msg, dropped]),
      [
        ['lines of this log were dropped while nobody read it, or the disk was full', lines - before.length],
        ['last words', undefined],
      ],
    );
    assert.ok(before.length > 5_000 && before.length < lines);
  });

  it('writes what still waits at the end, and tells how much is missing, unless nobody ever reads it', async () => {
    const lines = 20_000;
    const [read, unread] = [talker(lines, 'process.exit(3);'), talker(5_000, 'process.exit(4);')];
    const unreadEnd = once(unread, 'exit');
    await allTold(read);
    const [said, [code]] = await Promise.all([text(read.stdout), once(read, 'exit')]);
    const told = said
      .trimEnd()
      .split('\n')
      .map((line): Line => JSON.parse(line));
    assert.equal(told.length - 1 + (told.at(-1)?.dropped ?? 0), lines);
    assert.deepEqual([code, (await unreadEnd)[0]], [3, 4]);
    unread.stdout.destroy();
  });

  it('outlives its reader', async () => {
    const child = talker(
      1,
      `process.stdin.once('data', () => { log.info('on'); log.info('and on'); process.exit(5); });`,
    );
    await allTold(child);
    child.stdout.destroy();
    child.stdin.write('go on\n');
    assert.deepEqual((await once(child, 'exit'))[0], 5);
  });
});

describe('a log into a file', () => {
  // A load balancer whose standard output is a file on a full disk would end with its next line of log, and with it all of its traffic.
  it('fails nobody while the disk is full, and goes on in the middle of the line when there is room', async (test) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'heimdall-log-output-'));
    const path = join(folder.path, 'log');
    const fd = fs.openSync(path, 'a');
    const output = new LogOutput(fd, () => assert.fail('nothing was dropped'));
    const { writeSync } = fs;
    let left = 6;
    test.mock.method(fs, 'writeSync', (file: number, text: string | Buffer) => {
      if (file !== fd) return writeSync(file, Buffer.from(text));
      const octets = Buffer.from(text).subarray(0, left);
      if (left === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      left -= octets.length;
      return writeSync(file, octets);
    });
    for (const line of ['one\n', 'two\n', 'three\n']) output.write(line);
    assert.equal(await readFile(path, 'utf8'), 'one\ntw');
    left = Number.POSITIVE_INFINITY;
    await eventually('it goes on', async () => (await readFile(path, 'utf8')) === 'one\ntwo\nthree\n');
    fs.closeSync(fd);
  });
});
