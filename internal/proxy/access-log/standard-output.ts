import { fstatSync, write } from 'node:fs';
import { promisify } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import type { LineOutput } from './line-output.ts';
import { wholeLines } from './whole-lines.ts';

const writeTo = promisify(write);
const STDOUT = 1;
/** A write of at most so many octets goes into a pipe in one piece, whoever else writes to it: `PIPE_BUF` of pipe(7). */
const ATOMIC = 4_096;
/** How long a pipe that is full is given before the next try, in milliseconds. */
const FULL_MS = 10;

/** Lines on standard output, beside those of the logger of this process and of others. */
export class StandardOutput implements LineOutput {
  readonly #most: number;

  constructor() {
    this.#most = fstatSync(STDOUT).isFile() ? Number.POSITIVE_INFINITY : ATOMIC;
  }

  async write(octets: Uint8Array): Promise<void> {
    for (let from = 0; from < octets.length; ) {
      const to = wholeLines(octets, from, this.#most);
      await writeAll(octets.subarray(from, to));
      from = to;
    }
  }

  async close(): Promise<void> {}
}

async function writeAll(octets: Uint8Array): Promise<void> {
  for (let from = 0; from < octets.length; ) {
    try {
      const { bytesWritten } = await writeTo(STDOUT, octets, from);
      from += bytesWritten;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      await delay(FULL_MS);
    }
  }
}
