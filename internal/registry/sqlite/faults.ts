import Database from 'better-sqlite3';
import { HeimdallError } from '../../model/errors.ts';

const BUSY = /^SQLITE_(BUSY|LOCKED|PROTOCOL)/;
const DAMAGED = /^SQLITE_(NOTADB|CORRUPT|ERROR|MISMATCH)/;
/** The statement was at fault, not the store. */
const CONSTRAINT = /^SQLITE_CONSTRAINT/;

/** Another connection holds a lock; asking again later helps. */
export function isBusy(error: unknown): boolean {
  return BUSY.test(sqliteCode(error) ?? '') || (error instanceof HeimdallError && isBusy(error.cause));
}

/** After such an error the connection is not to be trusted any more: the file must be opened anew. */
export function isFatal(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== null && !BUSY.test(code) && !CONSTRAINT.test(code);
}

/** What an error of SQLite or of the file system means for people; any other error comes back as it is. */
export function faultOf(error: unknown, path: string): unknown {
  const code = sqliteCode(error);
  if (!(error instanceof Error) || error instanceof HeimdallError) return error;
  if (code === null) return 'syscall' in error ? unreachable(path, error) : error;
  if (CONSTRAINT.test(code)) return error;
  if (BUSY.test(code)) {
    const message = `The registry ${path} is locked by another process. Try again in a moment.`;
    return new HeimdallError('REGISTRY_UNAVAILABLE', message, { path }, { cause: error });
  }
  return DAMAGED.test(code) ? damaged(path, error.message, error) : unreachable(path, error);
}

/** The same of copying: where there is no more room is not the registry. */
export function copyFaultOf(error: unknown, from: string, to: string): unknown {
  if (sqliteCode(error) !== 'SQLITE_FULL') return faultOf(error, from);
  const message = `${to} cannot be written: there is no room left on its disk.`;
  return new HeimdallError('INVALID_REQUEST', message, { path: to }, { cause: error });
}

export function damaged(path: string, reason: string, cause?: unknown): HeimdallError {
  return new HeimdallError(
    'REGISTRY_BROKEN',
    `The registry ${path} is damaged: ${reason}. Stop heimdall, then put a good copy in its place, ` +
      'or move it away together with its -wal and -shm files to begin with an empty one.',
    { path },
    { cause },
  );
}

export function gone(path: string): HeimdallError {
  return new HeimdallError(
    'REGISTRY_UNAVAILABLE',
    `The registry ${path} does not exist any more. Put it back, or restart heimdall to begin with an empty one.`,
    { path },
  );
}

function unreachable(path: string, error: Error): HeimdallError {
  const message = `The registry ${path} cannot be used: ${error.message}.`;
  return new HeimdallError('REGISTRY_UNAVAILABLE', message, { path }, { cause: error });
}

function sqliteCode(error: unknown): string | null {
  return error instanceof Database.SqliteError ? error.code : null;
}
