import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Logger } from '../../../pkg/logger/logger.ts';
import type { RegistryWriter } from '../registry.ts';
import { Connection } from './connection.ts';
import { damaged, faultOf } from './faults.ts';
import type { Handle } from './handle.ts';
import { acquireManagerLock } from './manager-lock.ts';
import { SqliteWriter } from './writer.ts';

const PATIENCE_MS = 2_000;
const CHECKPOINT_PAGES = 1_000;
const ADOPT = 'UPDATE instances SET node = ? WHERE agent IS NULL AND node IS NOT ?';

interface ManagerRegistryOptions {
  /** Of the registry's file; made with its folder when missing. */
  readonly path: string;
  /** Epoch milliseconds; default: the system's clock. */
  readonly clock?: () => number;
  /** Of the manager; default: this process. */
  readonly pid?: number;
  /** Its name among those of several machines; default: none. What an earlier one has left is its own from now on. */
  readonly node?: string;
  readonly log?: Logger;
}

/**
 * Opens the manager's side of the registry and announces the manager in it.
 * @throws {HeimdallError} MANAGER_RUNNING naming the path and the other's pid; REGISTRY_BROKEN when the file is no
 *   registry, is damaged or of a newer version; REGISTRY_UNAVAILABLE. Nothing stays locked then.
 */
export async function openManagerRegistry(options: ManagerRegistryOptions): Promise<RegistryWriter> {
  const { clock = Date.now, pid = process.pid, node = null, log } = options;
  const path = resolve(options.path);
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw faultOf(error, path);
  });
  const lock = await acquireManagerLock(path);
  const connection = new Connection({ path, patience: PATIENCE_MS, checkpointPages: CHECKPOINT_PAGES, log });
  const writer = new SqliteWriter({ connection, lock, clock, pid, node, log });
  try {
    await connection.read((handle) => checkSound(handle, path));
    if (node !== null) await connection.write((handle) => handle.run(ADOPT, node, node));
    await writer.heartbeat();
    return writer;
  } catch (error) {
    await connection.close();
    lock.release();
    throw error;
  }
}

function checkSound(handle: Handle, path: string): void {
  const verdict = handle.db.pragma('quick_check(1)', { simple: true });
  if (verdict !== 'ok') throw damaged(path, String(verdict));
}
