import { readdir, readlink } from 'node:fs/promises';
import { allPids } from './process-table.ts';

/** What the kernel puts behind the name of a file that has none any more. */
const DELETED = / \(deleted\)$/;

/**
 * The processes that have one of these files open, also when it was deleted since; those of other users are seen by root alone.
 * None where there is no `/proc`.
 * @param paths - absolute, without symbolic links.
 */
export async function holdersOf(paths: ReadonlySet<string>): Promise<number[]> {
  const holders: number[] = [];
  for (const pid of await allPids()) if ((await openFilesOf(pid)).some((path) => paths.has(path))) holders.push(pid);
  return holders;
}

async function openFilesOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []); // gone, or not ours to look at
  const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return links.map((link) => link.replace(DELETED, ''));
}
