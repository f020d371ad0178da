import { closeSync, fstatSync, write } from 'node:fs';
import { promisify } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { standardOutput } from '../../../pkg/logger/standard-output.ts';
import type { LineOutput } from './line-output.ts';
import { wholeLines } from './whole-lines.ts';

const writeTo = promisify(write);
/** A write of at most so many octets goes into a pipe in one piece, whoever else writes to it: `PIPE_BUF` of pipe(7). */
const ATOMIC = 4_096;
/** How long a pipe that is full is given before the next try, in milliseconds. */
const FULL_MS = 10;

/** Lines on standard output, beside those of the logger of this process and of others. */
export class StandardOutput implements LineOutput {
  readonly #fd = standardOutput();
  readonly #most: number;

  constructor() {
    this.#most = fstatSync(this.#fd).isFile() ? Number.POSITIVE_INFINITY : ATOMIC;
  }

  async write(octets: Uint8Array): Promise<void> {
    for (let from = 0; from < octets.length; ) {
      const to = wholeLines(octets, from, this.#most);
      await writeAll(this.#fd, octets.subarray(from, to));
      from = to;
    }
  }

  async close(): Promise<void> {
    if (this.#fd !== process.stdout.fd) closeSync(this.#fd); // of a terminal, see `standardOutput`
  }
}

async function writeAll(fd: number, octets: Uint8Array): Promise<void> {
  for (let from = 0; from < octets.length; ) {
    try {
      const { bytesWritten } = await writeTo(fd, octets, from);
      from += bytesWritten;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      await delay(FULL_MS);
    }
  }
}
