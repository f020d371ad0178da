import { readlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isRunning, statOf } from './proc.ts';
import { allPids, environmentOf } from './process-table.ts';

const INSTANCE = 'HEIMDALL_INSTANCE=';

/** A process group that runs as an instance, whether or not anybody looks after it. */
export interface InstanceProcess {
  readonly instanceId: string;
  /** Number of the group, which is the pid of its leader. */
  readonly group: number;
}

/**
 * The instances of one installation that run: what tells them from those of another one is the folder that their output goes to.
 * A program that has redirected its output is not found, nor one of another user by anybody but root; none where there is no `/proc`.
 * @param logDir - absolute, without symbolic links.
 */
export async function instanceProcesses(logDir: string): Promise<InstanceProcess[]> {
  const found = new Map<number, string>();
  for (const pid of await allPids()) {
    const entry = [...(await environmentOf(pid))].find((variable) => variable.startsWith(INSTANCE));
    if (entry === undefined || !(await writesInto(pid, logDir))) continue;
    const stat = await statOf(pid);
    if (isRunning(stat)) found.set(stat.group, entry.slice(INSTANCE.length));
  }
  return [...found].map(([group, instanceId]) => ({ group, instanceId }));
}

async function writesInto(pid: number, folder: string): Promise<boolean> {
  const outputs = await Promise.all([1, 2].map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return outputs.some((path) => dirname(path) === folder);
}
