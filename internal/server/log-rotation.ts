import { appendFileSync, closeSync, fstatSync, ftruncateSync, openSync, readSync, statSync } from 'node:fs';
import { constants, copyFile, readdir, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../pkg/logger/logger.ts';
import { messageOf } from '../model/errors.ts';

export interface LogLimits {
  /** Bytes; a file that has more is put aside. */
  readonly maxSize: number;
  /** How many files that were put aside are kept of each output. */
  readonly keep: number;
  /** Bytes that all files together may have; the oldest go first. */
  readonly total: number;
}

export const DEFAULT_LOG_LIMITS: LogLimits = { maxSize: 10 * 1024 ** 2, keep: 5, total: 1024 ** 3 };

interface LogFile {
  readonly path: string;
  readonly size: number;
  /** Epoch milliseconds. */
  readonly changedAt: number;
  /** Of a file that was put aside: the one that it was put aside from. Null: it was not. */
  readonly aside: string | null;
}

const LOG = /\.(?:out|err)\.log(\.\d+)?$/;
/** So many files are kept of instances that are gone: why they went can be read for a while, and folders stay small. */
const MOST_LEFT = 200;

/**
 * Bounds the output of the instances. Their processes have the files open and go on writing to them (in append mode), whoever
 * is manager, so a file is copied and emptied in place: `web-9000-k3x9f2.out.log` becomes `web-9000-k3x9f2.out.log.1`, that becomes `.2`.
 * What is written between the last look and the emptying, a matter of microseconds, is lost.
 */
export class LogRotation {
  readonly #dir: string;
  readonly #log: Logger;
  #limits: LogLimits;
  #failing = false;

  constructor(dir: string, limits: LogLimits, log: Logger) {
    this.#dir = dir;
    this.#limits = limits;
    this.#log = log;
  }

  use(limits: LogLimits): void {
    this.#limits = limits;
  }

  /**
   * Never rejects: a full or failing disk is logged once.
   * @param inUse - tells the files that instances write to, which are never deleted. It is asked when the folder was read: a file
   * that is created meanwhile is in no danger.
   */
  async run(inUse: () => ReadonlySet<string>): Promise<void> {
    try {
      const { maxSize } = this.#limits;
      const files = await this.#files();
      const full = files.filter(({ size, aside }) => aside === null && size > maxSize);
      for (const { path } of full) await this.#rotate(path);
      const present = full.length === 0 ? files : await this.#files();
      await this.#bound(present, inUse());
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#log.error({ reason: messageOf(error) }, 'the logs of the instances cannot be rotated');
      this.#failing = true;
    }
  }

  async #rotate(path: string): Promise<void> {
    const { keep } = this.#limits;
    const aside = (await this.#files()).flatMap((file) =>
      file.path.startsWith(`${path}.`) ? numberOf(file.path) : [],
    );
    for (const number of aside.toSorted((a, b) => b - a)) {
      if (number >= keep) await rm(`${path}.${number}`, { force: true });
      else await rename(`${path}.${number}`, `${path}.${number + 1}`);
    }
    if (keep === 0) return truncate(path);
    await copyFile(path, `${path}.1`, constants.COPYFILE_FICLONE);
    finishAndEmpty(path, `${path}.1`);
  }

  async #bound(files: readonly LogFile[], inUse: ReadonlySet<string>): Promise<void> {
    let surplus = files.reduce((sum, { size }) => sum + size, 0) - this.#limits.total;
    const spare = files.filter(({ path }) => !inUse.has(path)).toSorted((a, b) => a.changedAt - b.changedAt);
    const left = spare.filter(({ path, aside }) => !inUse.has(aside ?? path));
    const kept = new Set(left.filter(({ size }) => size > 0).slice(-MOST_LEFT));
    const unwanted = new Set(left.filter((file) => !kept.has(file)));
    for (const file of spare) {
      if (surplus <= 0 && !unwanted.has(file)) continue;
      await rm(file.path, { force: true });
      surplus -= file.size;
    }
  }

  async #files(): Promise<LogFile[]> {
    const names = (await readdir(this.#dir)).filter((name) => LOG.test(name));
    return names.flatMap((name) => {
      const path = join(this.#dir, name);
      // There are hundreds, every few seconds: each trip to the thread pool would cost ten times as much.
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats === undefined) return [];
      const aside = LOG.exec(name)?.[1];
      const from = aside === undefined ? null : path.slice(0, -aside.length);
      return { path, size: stats.size, changedAt: stats.mtimeMs, aside: from };
    });
  }
}

function numberOf(path: string): number {
  return Number(path.slice(path.lastIndexOf('.') + 1));
}

/**
 * Adds to the copy what was written since it was begun, and empties the file. In one go: with trips to the thread pool between
 * the last look and the emptying a busy machine would lose what is written within milliseconds.
 */
function finishAndEmpty(path: string, copy: string): void {
  const source = openSync(path, 'r+');
  try {
    for (let copied = statSync(copy).size; ; ) {
      const missing = fstatSync(source).size - copied;
      if (missing <= 0) break;
      const rest = Buffer.alloc(missing);
      const read = readSync(source, rest, 0, missing, copied);
      appendFileSync(copy, rest.subarray(0, read));
      copied += read;
    }
    ftruncateSync(source);
  } finally {
    closeSync(source);
  }
}
