import { randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { HeimdallError } from '../../model/errors.ts';
import type { EventType } from '../../model/event.ts';
import { isAlive } from '../registry.ts';
import { copyRegistry } from './backup.ts';
import { stampOfSync } from './file-stamp.ts';
import { acquireManagerLock } from './manager-lock.ts';
import { contentOf, flawOf, openToRead, type RegistryContent, schemaOf, usersOf } from './registry-file.ts';

const HEARTBEAT_POLL_MS = 200;
const RESTORED: EventType = 'registry.restored';

export interface RestoreOptions {
  /** The backup. */
  readonly file: string;
  /** Path of the registry. */
  readonly path: string;
  /** Epoch milliseconds; default: the system's clock. */
  readonly clock?: () => number;
}

export interface Restored extends RegistryContent {
  /** Where the registry that was there before is kept; null when there was none. */
  readonly before: string | null;
}

/**
 * Puts a backup in the place of the registry, and keeps the one before beside it. The restored one is given an id of its own: its
 * revisions are older than those that load balancers have seen, and must not be compared with them. Who had it in use then, and
 * messages that were waiting to be sent then, are left out.
 * @throws {HeimdallError} MANAGER_RUNNING; REGISTRY_UNAVAILABLE when a load balancer uses the registry; REGISTRY_BROKEN when the
 *   file is no backup that can be used. The registry is what it was then.
 */
export async function restoreRegistry({
  file: backup,
  path: given,
  clock = Date.now,
}: RestoreOptions): Promise<Restored> {
  const [file, path] = [resolve(backup), resolve(given)];
  refuseUnusable(file);
  await mkdir(dirname(path), { recursive: true });
  const lock = await acquireManagerLock(path);
  const draft = `${path}.restoring`;
  try {
    await untilUnused(path, clock);
    await rm(draft, { force: true });
    await copyRegistry(file, draft);
    const content = prepared(draft, file, clock());
    const before = await put(draft, path, clock());
    return { ...content, before };
  } finally {
    await rm(draft, { force: true });
    lock.release();
  }
}

/** Before anything is waited for. */
function refuseUnusable(file: string): void {
  if (stampOfSync(file) === null) throw new HeimdallError('INVALID_REQUEST', `There is no file ${file}.`);
  const db = openToRead(file);
  try {
    const flaw = flawOf(db);
    if (flaw !== null) throw new HeimdallError('REGISTRY_BROKEN', `${file} cannot be restored: it ${flaw}.`, { file });
  } finally {
    db.close();
  }
}

/** A load balancer that was killed leaves its heartbeat: whether it goes on tells. One that cannot be read belongs to nobody. */
async function untilUnused(path: string, clock: () => number): Promise<void> {
  const first = heartbeats(path);
  for (;;) {
    const now = clock();
    const alive = heartbeats(path).filter((proxy) => isAlive(proxy, now));
    if (alive.length === 0) return;
    const beating = alive.find(
      ({ id, heartbeatAt }) => first.find((seen) => seen.id === id)?.heartbeatAt !== heartbeatAt,
    );
    if (beating) {
      const message = `A load balancer (pid ${beating.pid}) uses the registry ${path}. Stop heimdall first.`;
      throw new HeimdallError('REGISTRY_UNAVAILABLE', message, { path, pid: beating.pid });
    }
    await sleep(HEARTBEAT_POLL_MS);
  }
}

function heartbeats(path: string): { readonly id: string; readonly pid: number; readonly heartbeatAt: number }[] {
  try {
    const db = openToRead(path);
    try {
      return [...usersOf(db).proxies];
    } finally {
      db.close();
    }
  } catch {
    return [];
  }
}

/** Makes the copy a registry of its own. */
function prepared(draft: string, file: string, now: number): RegistryContent {
  const db = new Database(draft, { fileMustExist: true });
  try {
    const content = contentOf(db);
    db.pragma('foreign_keys = ON'); // what belongs to a load balancer goes with it
    db.transaction(() => {
      db.prepare('UPDATE meta SET registry_id = ?').run(randomBytes(8).toString('hex'));
      db.exec('DELETE FROM managers; DELETE FROM proxies;');
      if (schemaOf(db) >= 4) db.exec('DELETE FROM alert_outbox;');
      db.prepare(
        'INSERT INTO events (at, type, service, instance_id, message, data) VALUES (?, ?, NULL, NULL, ?, ?)',
      ).run(
        now,
        RESTORED,
        `the registry was restored from ${file}, revision ${content.revision}`,
        JSON.stringify({ file, revision: content.revision }),
      );
    })();
    return contentOf(db);
  } finally {
    db.close();
  }
}

/** @returns where the registry before is now. */
async function put(draft: string, path: string, now: number): Promise<string | null> {
  const before = `${path}.before-restore-${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}`;
  const existed = stampOfSync(path) !== null;
  if (existed) await setAside(path, before);
  // a log is replayed onto whatever file it lies beside
  for (const name of [`${path}-wal`, `${path}-shm`]) await rm(name, { force: true });
  await rename(draft, path);
  const folder = await open(dirname(path));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return existed ? before : null;
}

/** Under a second name; when its log cannot be brought in, because the file is damaged, that goes along with it. */
async function setAside(path: string, before: string): Promise<void> {
  try {
    const db = new Database(path, { fileMustExist: true });
    try {
      db.pragma('journal_mode = DELETE');
    } finally {
      db.close();
    }
  } catch {
    if (stampOfSync(`${path}-wal`) !== null) await rename(`${path}-wal`, `${before}-wal`);
  }
  await link(path, before).catch(() => copyFile(path, before)); // not every file system knows second names
}
