import { access, rename } from 'node:fs/promises';
import type { Instance } from '../model/instance.ts';
import type { ExitWatch } from './exit-watch.ts';
import { outputPaths, tailOf } from './log-tail.ts';
import { stopGroup } from './process-group.ts';
import { isSameProcess } from './process-identity.ts';
import { groupsOfInstance } from './process-table.ts';
import type { Exit, RunningProcess } from './running-process.ts';

/**
 * The process that a row tells of, if it still is that very process. Otherwise null, and whatever runs on with the
 * instance's token, such as children of a leader that died, has been killed. A stranger under the same pid is left alone.
 */
export async function adoptProcess(
  instance: Instance,
  logDir: string,
  clock: () => number,
  exits: ExitWatch,
): Promise<RunningProcess | null> {
  const { id, process: identity } = instance;
  if (identity === null || !(await isSameProcess(identity))) {
    await stopLeftovers(id, identity?.token ?? null, 0);
    return null;
  }
  const { promise: exited, resolve } = Promise.withResolvers<Exit>();
  const letGo = exits.watch(identity.pid, identity.startTime, resolve);
  const startedAt = instance.startedAt ?? clock();
  await takeOverOutput(instance, logDir);
  const outputs = outputPaths(logDir, id).map((path) => ({ path, from: 0, since: startedAt }));
  return {
    identity,
    startedAt,
    exited,
    tail: () => tailOf(outputs),
    stop: async (graceMs, signal) =>
      // Once the leader is gone, its pid may be anybody's: only the token tells who is ours.
      (await isSameProcess(identity))
        ? stopGroup(identity.pid, graceMs, signal)
        : stopLeftovers(id, identity.token, graceMs, signal),
    release: letGo,
  };
}

/** A manager that named the files of output by their port may have started it: they get their names, and it writes on into them. */
async function takeOverOutput({ id, service, port }: Instance, logDir: string): Promise<void> {
  const byPort = outputPaths(logDir, `${service}-${port}`);
  for (const [index, path] of outputPaths(logDir, id).entries()) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (!isThere) await rename(byPort[index] ?? '', path).catch(() => {}); // no output is no reason to leave it alone
  }
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
