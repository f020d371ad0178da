import { type BigIntStats, statSync, unlinkSync } from 'node:fs';

/**
 * Which file a path names, learned without opening it: closing any descriptor of a file drops the locks
 * that SQLite holds on it in the same process.
 */
export interface FileStamp {
  /** Another id is another file, for as long as one of the two is held open. */
  readonly id: string;
  /** Changes when the content is written. */
  readonly content: string;
  /** In bytes. */
  readonly size: number;
}

/** Null when there is no such file. */
export function stampOfSync(path: string): FileStamp | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? null : toStamp(stats);
}

/** Removes the file if it still is the one with this id. */
export function unlinkIfSame(path: string, id: string | undefined): void {
  if (id !== undefined && stampOfSync(path)?.id === id) unlinkSync(path);
}

function toStamp({ dev, ino, size, mtimeNs }: BigIntStats): FileStamp {
  return { id: `${dev}:${ino}`, content: `${size}:${mtimeNs}`, size: Number(size) };
}
