import { setTimeout as sleep } from 'node:timers/promises';
import { exists, HAS_PROC, signal } from './proc.ts';
import { membersOf } from './process-table.ts';

const POLL_MS = 15;
/** Reading the whole process table is dear; it is only needed to see that nothing but zombies is left. */
const POLLS_PER_SCAN = 8;
/** A killed process can still be held in the kernel, by a dead disk for instance; nobody can end it then. */
const KILL_LIMIT_MS = 5_000;

/**
 * The signal to the group, after `graceMs` SIGKILL, and resolves when no member is left. 0 kills at once.
 * @returns false when a member is still there 5 s after SIGKILL.
 */
export async function stopGroup(group: number, graceMs: number, first: NodeJS.Signals = 'SIGTERM'): Promise<boolean> {
  if (graceMs > 0) {
    signal(-group, first);
    if (await isGoneWithin(group, graceMs)) return true;
  }
  signal(-group, 'SIGKILL');
  return isGoneWithin(group, KILL_LIMIT_MS);
}

async function isGoneWithin(group: number, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  for (let polls = 1; ; polls += 1) {
    if (!exists(-group)) return true;
    if (HAS_PROC && polls % POLLS_PER_SCAN === 0 && (await membersOf(group)).length === 0) return true;
    if (performance.now() >= end) return false;
    await sleep(POLL_MS);
  }
}
