import { open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';

/** Older output is not looked at for the last lines. */
const TAIL_BYTES = 4 * 1024 ** 2;
/** One read of a file that is followed. */
const CHUNK_BYTES = 256 * 1024;
const POLL_MS = 200;
/** A line without end is handed out in pieces of this many characters. */
const LONGEST_LINE = 64 * 1024;

interface Look {
  readonly size: number;
  /** Epoch milliseconds. */
  readonly changedAt: number;
}

const NOTHING: Look = { size: 0, changedAt: 0 };

/** A file of output, read from its end: the last lines, and then what is written from there on. */
export class LogReader {
  readonly #path: string;
  readonly #decoder = new StringDecoder('utf8');
  #position = 0;
  /** What was put aside last, as it was then. */
  #aside: Look = NOTHING;
  /** The beginning of a line whose end is not there yet. */
  #begun = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** The last complete lines, oldest first; `next` goes on after them. A file that is not there has none. */
  async last(count: number): Promise<string[]> {
    this.#aside = await this.#copy();
    const { size } = await lookAt(this.#path);
    const start = Math.max(0, size - TAIL_BYTES);
    this.#position = start;
    let lines: string[] = [];
    while (this.#position < size) lines = [...lines, ...(await this.#read(this.#path, size))].slice(-count - 1);
    if (start > 0) lines.shift(); // cut somewhere in its middle
    return lines.slice(Math.max(0, lines.length - count));
  }

  /** Resolves with the lines that come next, as soon as there are any; after the signal, with those that are there. */
  async next(signal: AbortSignal): Promise<string[]> {
    for (;;) {
      const lines = await this.#advance();
      if (lines.length > 0 || signal.aborted) return lines;
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #advance(): Promise<string[]> {
    const aside = await this.#copy();
    const { size } = await lookAt(this.#path);
    const isPutAside = size < this.#position || (aside.changedAt !== this.#aside.changedAt && size < aside.size);
    if (!isPutAside) return size === this.#position ? [] : this.#read(this.#path, size);
    // It was copied and emptied: the rest is in the copy.
    const rest: string[][] = [];
    while (this.#position < aside.size) rest.push(await this.#read(`${this.#path}.1`, aside.size));
    this.#aside = aside;
    this.#position = 0;
    return rest.flat();
  }

  #copy(): Promise<Look> {
    return lookAt(`${this.#path}.1`);
  }

  async #read(path: string, end: number): Promise<string[]> {
    const file = await open(path, 'r');
    try {
      const length = Math.min(CHUNK_BYTES, end - this.#position);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, this.#position);
      this.#position = bytesRead === 0 ? end : this.#position + bytesRead;
      const lines = (this.#begun + this.#decoder.write(buffer.subarray(0, bytesRead))).split(/\r?\n/);
      this.#begun = lines.pop() ?? '';
      if (this.#begun.length <= LONGEST_LINE) return lines;
      lines.push(this.#begun);
      this.#begun = '';
      return lines;
    } finally {
      await file.close();
    }
  }
}

async function lookAt(path: string): Promise<Look> {
  const stats = await stat(path).catch(() => null);
  return stats === null ? NOTHING : { size: stats.size, changedAt: stats.mtimeMs };
}
