// Which integration tests share a process: alone, most of these files would take longer to start than to run. Each batch leaves room
// to the time limit of a file.
import { globSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', 'integration');

/** By the beginnings of the files' names. */
const BATCHES = {
  'a-to-o': /^[a-o]/,
  'proxy-a-to-g': /^proxy-[a-g]/,
  'proxy-h-to-z': /^proxy-[h-z]/,
  server: /^server-/,
  threads: /^threads?[-.]/,
};

/** Loads the tests of a batch into this process; `others` has all that no other batch has. */
export async function loadBatch(name: keyof typeof BATCHES | 'others'): Promise<void> {
  for (const file of globSync('*.test.ts', { cwd: FOLDER }).sort()) {
    if (batchOf(file) === name) await import(join(FOLDER, file));
  }
}

function batchOf(file: string): string {
  return Object.entries(BATCHES).find(([, begins]) => begins.test(file))?.[0] ?? 'others';
}
