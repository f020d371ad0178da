import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** Whether `/proc` tells about processes and sockets; elsewhere what depends on it is left out or asked of `ps`. */
export const HAS_PROC = process.platform === 'linux';

/** What `/proc/<pid>/stat` says of a process. */
interface ProcStat {
  /** `Z` is a zombie, `X` is dead. */
  readonly state: string;
  readonly group: number;
  /** Clock ticks since the boot, as text: only ever compared. */
  readonly startTime: string;
  /** Used so far, in clock ticks. */
  readonly cpuTicks: number;
  /** Resident memory, in pages. */
  readonly pages: number;
}

/** What a file of a process says that is gone, or not ours to look at. */
const GONE = new Set<unknown>(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);
/** As far as they are of interest: from the third of the line to the 24th. */
const FIELDS = 22;

/**
 * Fields 3, 5, 14, 15, 22 and 24 of a `/proc/<pid>/stat` line (proc_pid_stat(5)). Field 2 is the program's name in parentheses, and
 * the name itself may hold spaces and parentheses: the last `)` ends it.
 */
export function parseStat(line: string): ProcStat | null {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ', FIELDS);
  const [state, group, startTime] = [fields[0], Number(fields[2]), fields[19]];
  if (!state || !startTime || !Number.isInteger(group)) return null;
  return { state, group, startTime, cpuTicks: Number(fields[11]) + Number(fields[12]), pages: Number(fields[21]) };
}

/** Null when there is no such process. */
export async function statOf(pid: number): Promise<ProcStat | null> {
  const line = await readProc(`${pid}/stat`);
  return line === null ? null : parseStat(line);
}

/**
 * The same without a trip to the thread pool, for whoever looks at many; the event loop stands still meanwhile.
 * @throws when nobody can tell, for lack of descriptors or memory: that is no sign that the process is gone.
 */
export function statNow(pid: number): ProcStat | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')); // in one call, for UTF-8 alone: half the time
  } catch (error) {
    if (error instanceof Error && 'code' in error && GONE.has(error.code)) return null;
    throw error;
  }
}

/** A running process: neither a zombie nor dead. */
export function isRunning(stat: ProcStat | null): stat is ProcStat {
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X';
}

/** The text of a file below `/proc`; null when it is gone or not ours to read. */
export async function readProc(name: string): Promise<string | null> {
  try {
    return await readFile(`/proc/${name}`, 'latin1');
  } catch {
    return null;
  }
}

/** Also true for zombies that nobody has waited for, and for another process under the same pid. @param pid - negative: of a group. */
export function exists(pid: number): boolean {
  return signal(pid, 0) !== 'ESRCH';
}

/**
 * To a process, or, with the number of a group made negative, to every member of it.
 * @returns the code of the error, if any: none there (ESRCH), or not ours to signal (EPERM).
 */
export function signal(pid: number, name: NodeJS.Signals | 0): string | undefined {
  try {
    process.kill(pid, name);
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : undefined;
  }
}
