import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { parseSchedstat, parseStat } from './parse.ts';
import { processTree } from './process-tree.ts';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** The CPU time so far of a process and everything below it, user and system, in microseconds. */
export async function cpuTime(pid: number): Promise<number> {
  const times = await Promise.all((await processTree(pid)).map(timeOf));
  return times.reduce((sum, time) => sum + time, 0);
}

/** Nanoseconds where the kernel counts them (a sum over the threads), else ticks of 10 ms. */
async function timeOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const texts = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '')),
  );
  const times = texts.map(parseSchedstat).filter((time) => time !== null);
  if (times.length > 0) return times.reduce((sum, time) => sum + time, 0);
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return parseStat(stat, TICKS_PER_SECOND) ?? 0;
}
