import type Database from 'better-sqlite3';
import { HeimdallError } from '../../model/errors.ts';
import { damaged } from './faults.ts';
import { MIGRATIONS } from './migrations.ts';

/** "HMDL": tells our files from those of other programs. */
export const APPLICATION_ID = 0x48_4d_44_4c;

/**
 * Brings the store to the newest schema; whichever process comes first does it, the others find it done.
 * A file that is refused stays untouched.
 * @param create - whether an empty file may become a registry.
 * @throws {HeimdallError} REGISTRY_BROKEN: of a newer heimdall, of another program, or empty.
 */
export function migrate(db: Database.Database, path: string, create: boolean): void {
  if (isCurrent(db)) return;
  const steps = db.transaction(() => {
    if (isCurrent(db)) return;
    const version = startingVersion(db, path, create);
    for (const sql of MIGRATIONS.slice(version)) db.exec(sql);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${MIGRATIONS.length}`);
  });
  steps.immediate();
}

function isCurrent(db: Database.Database): boolean {
  return pragma(db, 'user_version') === MIGRATIONS.length && pragma(db, 'application_id') === APPLICATION_ID;
}

function startingVersion(db: Database.Database, path: string, create: boolean): number {
  const empty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (empty && !create) throw damaged(path, 'it is empty');
  if (empty) return 0;
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    const message = `The database ${path} belongs to another program. Set registry.path to another file.`;
    throw new HeimdallError('REGISTRY_BROKEN', message, { path });
  }
  const version = Number(pragma(db, 'user_version'));
  if (version <= MIGRATIONS.length) return version;
  throw new HeimdallError(
    'REGISTRY_BROKEN',
    `The registry ${path} was made by a newer heimdall: its schema is ${version}, this one knows ${MIGRATIONS.length}. ` +
      'Install the newer version again, or set registry.path to another file.',
    { path, version, known: MIGRATIONS.length },
  );
}

function pragma(db: Database.Database, name: string): unknown {
  return db.pragma(name, { simple: true });
}
