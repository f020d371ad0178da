import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { HeimdallError, messageOf } from '../model/errors.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { tailOf } from './log-tail.ts';
import { stopGroup } from './process-group.ts';
import { currentBootId, startTimeOf } from './process-identity.ts';
import type { Exit, RunningProcess } from './running-process.ts';

export function newToken(): string {
  return randomBytes(16).toString('hex');
}

/**
 * Starts the command in a process group of its own. Its output goes to append-mode files, not to pipes: it outlives us.
 * @param token - what the plan's environment carries as HEIMDALL_INSTANCE_TOKEN.
 * @throws {HeimdallError} COMMAND_FAILED when it cannot be run at all; nothing remains then.
 */
export async function spawnProcess(
  plan: LaunchPlan,
  token: string,
  outputPaths: readonly string[],
  clock: () => number,
): Promise<RunningProcess> {
  const files = await openOutputs(outputPaths);
  try {
    const sizes = await Promise.all(files.map(async (file) => (await file.stat()).size));
    const startedAt = clock();
    const outputs = outputPaths.map((path, index) => ({ path, from: sizes[index] ?? 0, since: startedAt }));
    const child = await spawned(plan, [files[0]?.fd ?? 'ignore', files[1]?.fd ?? 'ignore']);
    const exited = exitOf(child, clock);
    const pid = child.pid ?? 0;
    // Already gone: no start time, so nothing will ever be taken for this process.
    const [startTime, bootId] = await Promise.all([startTimeOf(pid), currentBootId()]);
    return {
      identity: { pid, startTime: startTime ?? '', bootId, token },
      startedAt,
      exited,
      tail: () => tailOf(outputs),
      stop: (graceMs, signal) => stopGroup(pid, graceMs, signal),
      release: () => child.unref(),
    };
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

async function openOutputs(paths: readonly string[]): Promise<FileHandle[]> {
  const files: FileHandle[] = [];
  try {
    for (const path of paths) files.push(await open(path, 'a', 0o640));
    return files;
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    const message = `the output of the instance cannot be kept: ${messageOf(error)}`;
    throw new HeimdallError('COMMAND_FAILED', message, {}, { cause: error });
  }
}

async function spawned(
  plan: LaunchPlan,
  [stdout, stderr]: readonly [number | 'ignore', number | 'ignore'],
): Promise<ChildProcess> {
  try {
    const child = spawn(plan.file, plan.args, {
      cwd: plan.cwd,
      env: plan.env,
      detached: true,
      ...plan.account,
      stdio: ['ignore', stdout, stderr],
    });
    await once(child, 'spawn');
    return child;
  } catch (error) {
    throw await commandFailed(plan, error);
  }
}

function exitOf(child: ChildProcess, clock: () => number): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal, at: clock() }));
  });
}

async function commandFailed(plan: LaunchPlan, error: unknown): Promise<HeimdallError> {
  const { file, args, cwd } = plan;
  const isFolder = await stat(cwd).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const reason = !isFolder
    ? 'that folder does not exist'
    : code === 'ENOENT'
      ? 'no such program'
      : code === 'EACCES'
        ? 'it is not executable'
        : messageOf(error);
  const command = [file, ...args];
  return new HeimdallError(
    'COMMAND_FAILED',
    `cannot run "${command.join(' ')}" in ${cwd}: ${reason}`,
    { command, cwd },
    { cause: error },
  );
}
