import { statfs } from 'node:fs/promises';
import type { Reading } from '../../../pkg/alerts/rules/reading.ts';
import { percent } from '../../../pkg/alerts/rules/words.ts';
import { messageOf } from '../../model/errors.ts';

const GIB = 1024 ** 3;

/** How full the file system is that holds the folder, as `df` has it: what only root may use counts as full. */
export async function diskReading(folder: string): Promise<Reading> {
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
