import { execFile } from 'node:child_process';
import type { ProcessIdentity } from '../model/instance.ts';
import { HAS_PROC, isRunning, readProc, statNow } from './proc.ts';
import { environmentOf } from './process-table.ts';

const TOKEN = 'HEIMDALL_INSTANCE_TOKEN=';

/** Tells two processes of one pid apart; null when none runs under the pid, which includes zombies. @throws when nobody can tell. */
export async function startTimeOf(pid: number): Promise<string | null> {
  if (!HAS_PROC) return startTimeFromPs(pid);
  const stat = statNow(pid);
  return isRunning(stat) ? stat.startTime : null;
}

/** Changes with every boot of the machine. Start times from `ps` are dates, which need none. */
export async function currentBootId(): Promise<string> {
  return (await readProc('sys/kernel/random/boot_id'))?.trim() ?? '';
}

/**
 * Whether the pid still is the very process: start time and boot agree, and no other token speaks against it. A process
 * that changed its user hides its environment, and one that changed its title may have overwritten it.
 */
export async function isSameProcess(identity: ProcessIdentity): Promise<boolean> {
  if (identity.bootId !== (await currentBootId())) return false;
  if ((await startTimeOf(identity.pid)) !== identity.startTime) return false;
  const tokens = [...(await environmentOf(identity.pid))].filter((entry) => entry.startsWith(TOKEN));
  return tokens.length === 0 || tokens.includes(`${TOKEN}${identity.token}`);
}

function startTimeFromPs(pid: number): Promise<string | null> {
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], (error, stdout) => {
      const [, state, started] = /^\s*(\S+)\s+(.+?)\s*$/.exec(stdout) ?? [];
      resolve(error || !state || !started || state.startsWith('Z') ? null : started);
    });
  });
}
