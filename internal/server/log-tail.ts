import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HeimdallError } from '../model/errors.ts';

/** How many of an instance's last lines accompany an error. */
const TAIL_LINES = 50;
const TAIL_BYTES = 64 * 1024;

/** Where the output of one run begins in an append-mode file that earlier runs of the instance have written to. */
interface OutputStart {
  readonly path: string;
  /** In bytes. */
  readonly from: number;
  /** Epoch milliseconds: what was put aside since then is of this run. */
  readonly since: number;
}

/** The files that take an instance's standard output and standard error: its own, as a port is another's later. */
export function outputPaths(logDir: string, id: string): readonly [string, string] {
  const [out, err] = outputNames(id);
  return [join(logDir, out), join(logDir, err)];
}

/** Whether there is output of that name. It is looked for among the files that are there, so that no name leads elsewhere. */
export async function hasOutput(logDir: string, id: string): Promise<boolean> {
  const names = new Set(await readdir(logDir).catch(() => [])); // without the folder, there is none
  return outputNames(id).some((name) => names.has(name));
}

function outputNames(id: string): readonly [string, string] {
  return [`${id}.out.log`, `${id}.err.log`];
}

/**
 * The last lines of a run: those of standard output, then those of standard error, because that is where the reason for an
 * end stands. At most `lines` in all. A file that is gone or cannot be read gives none.
 */
export async function tailOf(outputs: readonly OutputStart[], lines = TAIL_LINES): Promise<string[]> {
  const tails = await Promise.all(outputs.map((output) => lastLines(output)));
  return tails.flat().slice(-lines);
}

/** The lines that accompany an error; none when it has none. */
export function logTailOf(error: unknown): readonly string[] {
  const tail = error instanceof HeimdallError ? error.context['logTail'] : undefined;
  return Array.isArray(tail) ? tail.filter((line) => typeof line === 'string') : [];
}

async function lastLines({ path, from, since }: OutputStart): Promise<readonly string[]> {
  const present = await endOf(path, from);
  const aside = await endOf(`${path}.1`, from);
  // As long as the file is no smaller than its copy, it is just being put aside.
  const isOfRun = aside.changedAt >= since && aside.size > present.size;
  return isOfRun ? [...aside.lines, ...present.lines] : present.lines;
}

interface End {
  readonly lines: readonly string[];
  readonly size: number;
  /** Epoch milliseconds. */
  readonly changedAt: number;
}

async function endOf(path: string, from: number): Promise<End> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { size, mtimeMs: changedAt } = await file.stat();
    // A file that has become shorter was put aside or replaced: all of it is new.
    const runStart = from <= size ? from : 0;
    const start = Math.max(runStart, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split(/\r?\n/);
    if (start > runStart) lines.shift(); // cut somewhere in its middle
    return { lines: lines.filter((line) => line.trim() !== ''), size, changedAt };
  } catch {
    return { lines: [], size: 0, changedAt: 0 };
  } finally {
    await file?.close();
  }
}
