import type { Command } from 'commander';
import { candidatesFor } from './candidates.ts';
import { managerLookups } from './lookups.ts';
import { FILES_WANTED } from './scripts.ts';

/** `heimdall complete -- WORDS`: for the scripts of the shells. Whatever goes wrong, nobody is disturbed at the prompt. */
export async function complete(program: Command, words: readonly string[]): Promise<void> {
  const { files, words: found } = await candidatesFor(program, words, managerLookups(words, process.env));
  const lines = found.map(({ value, description }) => `${value}\t${description}`);
  process.stdout.write([...lines, ...(files ? [FILES_WANTED] : [])].map((line) => `${line}\n`).join(''));
}
