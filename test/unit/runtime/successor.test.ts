import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Successor } from '../../../cmd/runtime/successor.ts';

/** A successor is started with our own command line. */
async function startedAs(context: TestContext, script: string): Promise<Successor> {
  const folder = await mkdtemp(join(tmpdir(), 'heimdall-successor-'));
  const file = join(folder, 'main.mjs');
  await writeFile(file, script);
  const { argv, execArgv } = process;
  context.after(() => rm(folder, { recursive: true }));
  try {
    process.argv = [process.execPath, file];
    process.execArgv = [];
    return await Successor.start([], null, 'prepared', new AbortController().signal);
  } finally {
    process.argv = argv;
    process.execArgv = execArgv;
  }
}

describe('a successor', () => {
  it('that ends while it waits for the word fails when it gets it, and takes nobody along', async (context) => {
    const successor = await startedAs(context, `process.send({ type: 'prepared' }, () => process.exit(5));`);
    await sleep(200); // the predecessor finishes what was asked of it
    successor.go();
    await assert.rejects(successor.until('ready'), /could not take over: it ended with code 5/);
    await sleep(50);
  });
});
