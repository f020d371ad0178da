import { readdir } from 'node:fs/promises';
import { HAS_PROC, isRunning, readProc, statOf } from './proc.ts';

/** The pids of the running members of a process group; none where there is no `/proc`. */
export async function membersOf(group: number): Promise<number[]> {
  const members: number[] = [];
  for (const pid of await allPids()) {
    const stat = await statOf(pid);
    if (isRunning(stat) && stat.group === group) members.push(pid);
  }
  return members;
}

/**
 * The process groups of whatever still runs with an instance's environment, whoever its leader was: what an earlier manager
 * left behind. None where there is no `/proc`.
 * @param token - null when no token was noted yet; instance ids are random enough to stand alone.
 */
export async function groupsOfInstance(instanceId: string, token: string | null): Promise<number[]> {
  const groups = new Set<number>();
  for (const pid of await allPids()) {
    const environment = await environmentOf(pid);
    if (!environment.has(`HEIMDALL_INSTANCE=${instanceId}`)) continue;
    if (token !== null && !environment.has(`HEIMDALL_INSTANCE_TOKEN=${token}`)) continue;
    const stat = await statOf(pid);
    if (isRunning(stat)) groups.add(stat.group);
  }
  return [...groups];
}

/** `NAME=value` entries; empty when they cannot be read. */
export async function environmentOf(pid: number): Promise<ReadonlySet<string>> {
  return new Set((await readProc(`${pid}/environ`))?.split('\0'));
}

export async function allPids(): Promise<number[]> {
  if (!HAS_PROC) return [];
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}
