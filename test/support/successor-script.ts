import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A successor is started with our own command line: until the end of the test, that is the script. @returns its path. */
export async function successorIs(context: TestContext, script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heimdall-successor-'));
  const file = join(folder, 'main.mjs');
  await writeFile(file, script);
  const { argv, execArgv } = process;
  process.argv = [process.execPath, file];
  process.execArgv = [];
  context.after(async () => {
    process.argv = argv;
    process.execArgv = execArgv;
    await rm(folder, { recursive: true });
  });
  return file;
}
