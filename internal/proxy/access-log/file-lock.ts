import { randomUUID } from 'node:crypto';
import { link, open, rename, rm, stat } from 'node:fs/promises';

/** Nothing that is done under a lock takes such time. */
const STALE_MS = 10_000;

/**
 * A lock among processes: a file that only one of them can make. Whoever was killed while they had it does not keep it.
 * @returns how to give it back; null: somebody else has it, or had it until now.
 */
export async function lockFile(path: string): Promise<(() => Promise<void>) | null> {
  try {
    await (await open(path, 'wx')).close();
    return () => rm(path, { force: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  if (await isStale(path)) await clear(path);
  return null;
}

/**
 * Of several that find it stale one gets it by its new name. Meanwhile another may have taken it away, and a third have made
 * one anew: then it is that one, which goes back.
 */
async function clear(path: string): Promise<void> {
  const taken = `${path}.${randomUUID()}`;
  try {
    await rename(path, taken);
    if (!(await isStale(taken))) await link(taken, path);
  } catch {
    // somebody was faster
  }
  await rm(taken, { force: true });
}

async function isStale(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > STALE_MS;
}
