import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { HeimdallError } from '../../model/errors.ts';
import { faultOf, isBusy } from './faults.ts';
import { stampOfSync, unlinkIfSame } from './file-stamp.ts';
import { readManager } from './queries.ts';

/** Two managers that start at once can refuse each other; the pauses differ, so that one of them gets through. */
const TRIES = 5;
const LONGEST_PAUSE_MS = 60;

export interface ManagerLock {
  /** Removes the lock file; does nothing the second time. */
  release(): void;
}

/**
 * One manager per registry: an exclusive SQLite lock on a file beside it, which the kernel drops with the process,
 * however the process ends.
 * @throws {HeimdallError} MANAGER_RUNNING; REGISTRY_UNAVAILABLE when the file cannot be made.
 */
export async function acquireManagerLock(path: string): Promise<ManagerLock> {
  const lockPath = `${path}.manager-lock`;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const lock = tryLock(lockPath);
    if (lock) return lock;
    await sleep(Math.random() * LONGEST_PAUSE_MS);
  }
  const pid = runningManager(path);
  throw new HeimdallError(
    'MANAGER_RUNNING',
    `Another manager${pid === null ? '' : ` (pid ${pid})`} runs on the registry ${path}. Stop it first, or set registry.path to another file.`,
    { path, pid },
  );
}

/**
 * Null when another process holds the lock, or when its file was removed between opening and locking: a lock on a
 * file that the path does not name keeps nobody out.
 */
function tryLock(lockPath: string): ManagerLock | null {
  let db: Database.Database | null = null;
  try {
    if (stampOfSync(lockPath) === null) new Database(lockPath).close(); // made empty, so that its id is known before it is opened
    const before = stampOfSync(lockPath);
    db = new Database(lockPath, { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
    if (before && stampOfSync(lockPath)?.id === before.id) return heldLock(db, lockPath, before.id);
    db.close();
    return null;
  } catch (error) {
    db?.close();
    if (isBusy(error)) return null;
    throw faultOf(error, lockPath);
  }
}

function heldLock(db: Database.Database, lockPath: string, id: string): ManagerLock {
  return {
    release() {
      if (!db.open) return;
      unlinkIfSame(lockPath, id); // before the lock is let go: nobody else can hold this file yet
      db.close();
    },
  };
}

/** The pid of the manager that holds the lock, as far as the registry tells. */
function runningManager(path: string): number | null {
  let db: Database.Database | null = null;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true, timeout: 0 });
    const reader = db;
    return readManager({ get: (sql) => reader.prepare(sql).get() })?.pid ?? null;
  } catch {
    return null;
  } finally {
    db?.close();
  }
}
