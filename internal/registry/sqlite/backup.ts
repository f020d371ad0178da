import { existsSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import Database from 'better-sqlite3';
import { HeimdallError, messageOf } from '../../model/errors.ts';
import { copyFaultOf } from './faults.ts';
import { contentOf, flawOf, openToRead, type RegistryContent } from './registry-file.ts';

/** Copied at a time, some 4 MB: between two steps there is time for Ctrl-C and a progress bar. */
const PAGES_PER_STEP = 1_000;
const OWNER_ONLY = 0o600;

export interface BackupOptions {
  /** Path of the registry. */
  readonly from: string;
  /** Path of the copy. */
  readonly to: string;
  /** Whether a file that is there already is replaced. */
  readonly replace: boolean;
  /** @param part - of the pages, from 0 to 1. */
  readonly onProgress?: (part: number) => void;
}

export interface Backup extends RegistryContent {
  /** Absolute. */
  readonly file: string;
  readonly bytes: number;
}

/**
 * Copies the registry as it is at this moment, while manager and load balancers go on, into one file for its owner alone, and
 * checks the copy. Until that is done nothing has the name `to`.
 * @throws {HeimdallError} INVALID_REQUEST when `to` exists or cannot be written; REGISTRY_UNAVAILABLE; REGISTRY_BROKEN.
 */
export async function backupRegistry({ from, to, replace, onProgress }: BackupOptions): Promise<Backup> {
  const file = resolve(to);
  if (file === resolve(from)) throw new HeimdallError('INVALID_REQUEST', `${file} is the registry itself.`);
  if (!replace && existsSync(file)) {
    throw new HeimdallError('INVALID_REQUEST', `${file} exists already. Name another file, or add --force.`);
  }
  const draft = `${file}.${process.pid}.partial`;
  try {
    await copyRegistry(from, draft, onProgress);
    const content = checked(draft, from);
    const { size } = await stat(draft);
    await rename(draft, file);
    return { file, bytes: size, ...content };
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * SQLite's online backup. One reading transaction around it: what others commit meanwhile would make it begin again and again.
 * The copy needs no log beside it.
 * @throws {HeimdallError} INVALID_REQUEST when the copy cannot be made; REGISTRY_UNAVAILABLE, REGISTRY_BROKEN when it cannot be read.
 */
export async function copyRegistry(from: string, to: string, onProgress?: (part: number) => void): Promise<void> {
  const source = openToRead(from);
  try {
    await makeFile(to);
    source.exec('BEGIN');
    source.prepare('SELECT 1 FROM sqlite_schema').get(); // the transaction begins with the first reading
    await source.backup(to, {
      progress: ({ totalPages, remainingPages }) => {
        if (totalPages > 0) onProgress?.(1 - remainingPages / totalPages);
        return PAGES_PER_STEP;
      },
    });
  } catch (error) {
    throw copyFaultOf(error, from, to);
  } finally {
    source.close();
  }
  const copy = new Database(to, { fileMustExist: true });
  try {
    copy.pragma('journal_mode = DELETE');
  } finally {
    copy.close();
  }
}

/** Empty, for its owner alone: SQLite would make it as the umask says. */
async function makeFile(path: string): Promise<void> {
  try {
    await (await open(path, 'wx', OWNER_ONLY)).close();
  } catch (error) {
    throw new HeimdallError('INVALID_REQUEST', `${path} cannot be written: ${messageOf(error)}`, {}, { cause: error });
  }
}

function checked(copy: string, from: string): RegistryContent {
  const db = new Database(copy, { readonly: true, fileMustExist: true });
  try {
    const flaw = flawOf(db);
    if (flaw === null) return contentOf(db);
    throw new HeimdallError('REGISTRY_BROKEN', `There is nothing to back up: ${from} ${flaw}.`, { path: from });
  } finally {
    db.close();
  }
}
