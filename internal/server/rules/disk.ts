import { statfs } from 'node:fs/promises';
import type { Reading } from '../../../pkg/alerts/rules/reading.ts';
import { percent } from '../../../pkg/alerts/rules/words.ts';
import type { Clock } from '../../../pkg/clock/clock.ts';
import { messageOf } from '../../model/errors.ts';

const GIB = 1024 ** 3;
/** In milliseconds. */
const PATIENCE_MS = 5_000;

/** Looks at file systems. One that does not answer, such as a network's whose server is gone, holds up nobody. */
export class Disks {
  readonly #clock: Clock;
  readonly #ask: (folder: string) => Promise<Reading>;
  /** By folder, those that have not answered yet: each keeps a thread of the pool busy, so none is asked twice at a time. */
  readonly #asked = new Map<string, Promise<Reading>>();

  /** @param ask - see `diskReading`. */
  constructor(clock: Clock, ask: (folder: string) => Promise<Reading> = diskReading) {
    this.#clock = clock;
    this.#ask = ask;
  }

  async reading(folder: string): Promise<Reading> {
    const answer = this.#asked.get(folder) ?? this.#ask(folder).finally(() => this.#asked.delete(folder));
    this.#asked.set(folder, answer);
    const late = Promise.withResolvers<Reading>();
    const words = `the file system has not answered within ${PATIENCE_MS / 1_000} s`;
    const cancel = this.#clock.after(PATIENCE_MS, () => late.resolve(of(folder, null, words)));
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      cancel();
    }
  }
}

/** How full the file system is that holds the folder, as `df` has it: what only root may use counts as full. */
async function diskReading(folder: string): Promise<Reading> {
  try {
    const { blocks, bfree, bavail, bsize } = await statfs(folder);
    const used = blocks - bfree;
    const value = used + bavail === 0 ? null : used / (used + bavail);
    const free = `${((bavail * bsize) / GIB).toFixed(1)} GiB free`;
    return of(folder, value, value === null ? 'a file system without a size' : `${percent(value)} full, ${free}`);
  } catch (error) {
    return of(folder, null, messageOf(error));
  }
}

function of(folder: string, value: number | null, words: string): Reading {
  const advice = () => [
    `next: find what grows (du -xh ${folder} | sort -h | tail); output of instances is bounded by instanceLogs.total`,
  ];
  return { subject: folder, value, words, advice };
}
