import type { Instance } from '../model/instance.ts';
import { outputPaths, tailOf } from './log-tail.ts';
import { exists } from './proc.ts';
import { stopGroup } from './process-group.ts';
import { isSameProcess, startTimeOf } from './process-identity.ts';
import { groupsOfInstance } from './process-table.ts';
import type { Exit, RunningProcess } from './running-process.ts';

/** Only a parent is told of an exit; adopted processes are looked at. */
const POLL_MS = 100;
/** Every so many looks it is made sure that it is no zombie, and still the same process: that reads a file, or runs `ps`. */
const LOOKS_PER_CHECK = 10;

/**
 * The process that a row tells of, if it still is that very process. Otherwise null, and whatever runs on with the
 * instance's token, such as children of a leader that died, has been killed. A stranger under the same pid is left alone.
 */
export async function adoptProcess(
  instance: Instance,
  logDir: string,
  clock: () => number,
): Promise<RunningProcess | null> {
  const { id, process: identity } = instance;
  if (identity === null || !(await isSameProcess(identity))) {
    await stopLeftovers(id, identity?.token ?? null, 0);
    return null;
  }
  const letGo = new AbortController();
  const startedAt = instance.startedAt ?? clock();
  const outputs = outputPaths(logDir, instance.service, instance.port).map((path) => ({
    path,
    from: 0,
    since: startedAt,
  }));
  return {
    identity,
    startedAt,
    exited: exitOf(identity.pid, identity.startTime, clock, letGo.signal),
    tail: () => tailOf(outputs),
    stop: async (graceMs, signal) =>
      // Once the leader is gone, its pid may be anybody's: only the token tells who is ours.
      (await isSameProcess(identity))
        ? stopGroup(identity.pid, graceMs, signal)
        : stopLeftovers(id, identity.token, graceMs, signal),
    release: () => letGo.abort(),
  };
}

async function stopLeftovers(
  instanceId: string,
  token: string | null,
  graceMs: number,
  signal?: NodeJS.Signals,
): Promise<boolean> {
  const groups = await groupsOfInstance(instanceId, token);
  return (await Promise.all(groups.map((group) => stopGroup(group, graceMs, signal)))).every(Boolean);
}

function exitOf(pid: number, startTime: string, clock: () => number, signal: AbortSignal): Promise<Exit> {
  return new Promise((resolve) => {
    let looks = 0;
    const timer = setTimeout(() => void look(), POLL_MS);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });

    async function look(): Promise<void> {
      looks += 1;
      const isGone = !exists(pid) || (looks % LOOKS_PER_CHECK === 0 && (await startTimeOf(pid)) !== startTime);
      if (isGone) resolve({ code: null, signal: null, at: clock() });
      else if (!signal.aborted) timer.refresh();
    }
  });
}
