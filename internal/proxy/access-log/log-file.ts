import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockFile } from './file-lock.ts';
import type { LineOutput } from './line-output.ts';
import { wholeLines } from './whole-lines.ts';

export interface Rotation {
  /** Bytes; a file that would become larger is put aside. */
  readonly maxSize: number;
  /** How many that were put aside are kept. */
  readonly keep: number;
}

/** Lines tell of clients: others on this machine need not read them. */
const MODE = 0o640;
/** How often at most somebody looks whether the file is still there, and how large others have made it; milliseconds. */
const LOOK_MS = 1_000;
/** No write takes as long, in milliseconds. */
const SETTLE_MS = 20;
const LINE_END = 10;

/**
 * A file that lines are appended to. Several processes may write to the same one, as two do during a reload: each write is of
 * whole lines, and at the end of the file whatever its size. `access.log` is put aside as `access.log.1`, that becomes
 * `.2`, and so on. When somebody else puts it aside, such as logrotate, a new one is begun within a second; what is written until then
 * is in the old one, so that no line is lost either way.
 */
export class LogFile implements LineOutput {
  readonly #path: string;
  readonly #rotation: Rotation | null;
  readonly #now: () => number;
  #file: FileHandle | null = null;
  #inode = 0n;
  #size = 0;
  #lookedAt = 0;
  /** What goes before the next lines: the end of the line there that was cut off, as by a full disk. */
  #missing: Uint8Array | null = null;
  /** Where and at which size of the file we were cut off ourselves, with the rest of the line; null: we were not. */
  #cut: { readonly inode: bigint; readonly size: number; readonly rest: Uint8Array } | null = null;

  /** @param rotation - null: it is left to others. @param now - milliseconds of a monotonic clock. */
  constructor(path: string, rotation: Rotation | null, now: () => number) {
    this.#path = path;
    this.#rotation = rotation;
    this.#now = now;
  }

  async write(octets: Uint8Array): Promise<void> {
    const most = this.#rotation?.maxSize ?? Number.POSITIVE_INFINITY;
    try {
      for (let from = 0; from < octets.length; ) {
        const to = wholeLines(octets, from, most);
        await this.#writeLines(octets.subarray(from, to));
        from = to;
      }
    } catch (error) {
      await this.close().catch(() => {}); // the next write begins anew
      throw error;
    }
  }

  /** @param octets - no more than a file may have, but for a single line. */
  async #writeLines(octets: Uint8Array): Promise<void> {
    let file = this.#file ?? (await this.#open());
    if (this.#now() - this.#lookedAt >= LOOK_MS) file = await this.#look(file);
    await this.#complete(file);
    if (this.#isFull(octets.length)) {
      file = await this.#putAside(file);
      await this.#complete(file); // another process may have begun it, and been cut off
    }
    await this.#append(file, octets);
  }

  async #complete(file: FileHandle): Promise<void> {
    if (this.#missing !== null) await this.#append(file, this.#missing);
    this.#missing = null;
  }

  async #append(file: FileHandle, octets: Uint8Array): Promise<void> {
    let from = 0;
    try {
      while (from < octets.length) {
        const { bytesWritten } = await file.write(octets, from);
        from += bytesWritten;
        this.#size += bytesWritten;
      }
    } catch (error) {
      const isCut = octets === this.#missing || (from > 0 && octets[from - 1] !== LINE_END);
      const rest = Uint8Array.from(octets.subarray(from, octets.indexOf(LINE_END, from) + 1)); // the memory is used again
      this.#cut = isCut ? { inode: this.#inode, size: this.#size, rest } : null;
      throw error;
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  async #open(): Promise<FileHandle> {
    await mkdir(dirname(this.#path), { recursive: true });
    const file = await open(this.#path, 'a', MODE);
    this.#file = file;
    const { ino, size } = await file.stat({ bigint: true });
    this.#inode = ino;
    this.#size = Number(size);
    this.#missing = (await isTorn(this.#path)) ? this.#restAt(ino, Number(size)) : null;
    this.#cut = null;
    this.#lookedAt = this.#now();
    return file;
  }

  /** The line that is cut off there is ours as long as nobody has written behind it; one of somebody else only gets its end. */
  #restAt(inode: bigint, size: number): Uint8Array {
    const cut = this.#cut;
    return cut !== null && cut.inode === inode && cut.size === size ? cut.rest : Uint8Array.of(LINE_END);
  }

  /** @returns another file when this one is not at its place any more. */
  async #look(file: FileHandle): Promise<FileHandle> {
    this.#lookedAt = this.#now();
    const found = await stat(this.#path, { bigint: true }).catch(() => null);
    if (found?.ino !== this.#inode) return this.#reopen(file);
    this.#size = Number(found.size);
    return file;
  }

  #isFull(more: number): boolean {
    return this.#rotation !== null && this.#size > 0 && this.#size + more > this.#rotation.maxSize;
  }

  /** While another process puts it aside, it becomes a little larger than it may. */
  async #putAside(file: FileHandle): Promise<FileHandle> {
    const unlock = await lockFile(`${this.#path}.lock`);
    if (unlock === null) return file;
    try {
      const looked = await this.#look(file);
      if (looked !== file) return looked; // another process was faster
      await this.#rename();
      return await this.#reopen(file);
    } finally {
      await unlock();
    }
  }

  async #rename(): Promise<void> {
    const { keep = 0 } = this.#rotation ?? {};
    for (const number of await this.#aside()) {
      if (number >= keep) await rm(`${this.#path}.${number}`, { force: true });
      else await rename(`${this.#path}.${number}`, `${this.#path}.${number + 1}`);
    }
    if (keep === 0) await rm(this.#path, { force: true });
    else await rename(this.#path, `${this.#path}.1`);
  }

  /** Numbers of the files that were put aside, the oldest first. */
  async #aside(): Promise<number[]> {
    const prefix = `${basename(this.#path)}.`;
    const names = (await readdir(dirname(this.#path))).filter((name) => name.startsWith(prefix));
    const numbers = names.map((name) => name.slice(prefix.length)).filter((rest) => /^[1-9]\d{0,3}$/.test(rest));
    return numbers.map(Number).toSorted((a, b) => b - a);
  }

  async #reopen(file: FileHandle): Promise<FileHandle> {
    this.#file = null;
    await file.close();
    return this.#open();
  }
}

/** Whoever wrote last was cut off, rather than is about to go on: a write that another process makes may be seen in parts. */
async function isTorn(path: string): Promise<boolean> {
  const before = await endOf(path);
  if (before === null) return false;
  await sleep(SETTLE_MS);
  const now = await endOf(path);
  return now === before || (now !== null && isTorn(path));
}

/** The size of a file that ends in the middle of a line; null of all others, and where nobody may look. */
async function endOf(path: string): Promise<number | null> {
  try {
    if (!(await stat(path)).isFile()) return null; // a pipe would be read
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    return bytesRead === 0 || buffer[0] === LINE_END ? null : size;
  } catch {
    return null;
  }
}
