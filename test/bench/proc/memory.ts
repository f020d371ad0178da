import { readFile } from 'node:fs/promises';
import { parseOpenFilesLimit, parseResidentBytes } from './parse.ts';
import { processTree } from './process-tree.ts';

/** The resident memory of a process and everything below it, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const pids = await processTree(pid);
  const statuses = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')));
  return statuses.reduce((sum, status) => sum + (parseResidentBytes(status) ?? 0), 0);
}

/** How many files, sockets included, this process and those it starts may hold open. */
export async function openFilesLimit(): Promise<number> {
  return parseOpenFilesLimit(await readFile('/proc/self/limits', 'utf8'));
}
