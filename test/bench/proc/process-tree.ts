import { readdir, readFile } from 'node:fs/promises';

/** A process and everything below it: nginx, for one, works in children. Those that are gone are left out. */
export async function processTree(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => null);
  if (threads === null) return [];
  const children = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  const below = await Promise.all(parsePids(children.join(' ')).map(processTree));
  return [pid, ...below.flat()];
}

function parsePids(text: string): readonly number[] {
  return text.split(/\s+/).filter(Boolean).map(Number);
}
