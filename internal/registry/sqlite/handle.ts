import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { HeimdallError } from '../../model/errors.ts';
import { damaged } from './faults.ts';
import { type FileStamp, stampOfSync, unlinkIfSame } from './file-stamp.ts';
import { migrate } from './migrate.ts';

/** SQLite's default, which nothing here changes. */
const PAGE_BYTES = 4_096;
/** Between two readings of the file itself, in milliseconds. */
const REREAD_MS = 1_000;
const OWNER_ONLY = 0o600;

interface HandleOptions {
  readonly path: string;
  /** Whether a missing or empty file may become a registry. */
  readonly create: boolean;
  /** Length of the write-ahead log, in pages, from which a commit also copies it into the main file. */
  readonly checkpointPages: number;
}

type Parameter = string | number | null;

/** One open SQLite file with its prepared statements. Every call is synchronous and waits for no lock. */
export class Handle {
  readonly db: Database.Database;
  readonly #path: string;
  readonly #statements = new Map<string, Database.Statement>();
  readonly #ids: {
    readonly main: string | undefined;
    readonly wal: string | undefined;
    readonly shm: string | undefined;
  };
  #content: string | undefined;
  /** `performance.now()`. */
  #rereadAt = Number.NEGATIVE_INFINITY;

  /** @throws errors of SQLite and the file system as they are, and what `migrate` throws. */
  constructor({ path, create, checkpointPages }: HandleOptions) {
    this.#path = path;
    if (create) makeFile(path);
    this.db = new Database(path, { timeout: 0, fileMustExist: !create });
    try {
      this.db.pragma('foreign_keys = ON');
      migrate(this.db, path, create);
      useWriteAheadLog(this.db, path);
      this.db.pragma('synchronous = NORMAL');
      this.db.pragma(`wal_autocheckpoint = ${checkpointPages}`);
      this.get('SELECT revision FROM meta'); // the first read is what makes -wal and -shm
      const main = stampOfSync(path);
      if (main) checkSize(main, path);
      this.#content = main?.content;
      this.#ids = { main: main?.id, wal: stampOfSync(`${path}-wal`)?.id, shm: stampOfSync(`${path}-shm`)?.id };
    } catch (error) {
      this.db.close();
      throw error;
    }
  }

  /** Whether the path still names the files that this handle has open; a lost log is as bad as a lost main file. */
  owns(main: FileStamp | null, wal: FileStamp | null): boolean {
    return main?.id === this.#ids.main && wal?.id === this.#ids.wal;
  }

  /**
   * Reads the desired state from the file itself when the file was written since the last look: by a checkpoint,
   * or by someone who damaged it, which the page cache would hide. In a storm of changes there are several checkpoints a second, and
   * thousands of rows: it is not done more often than the watcher looks.
   * @throws errors of SQLite; REGISTRY_BROKEN.
   */
  reread(main: FileStamp): void {
    if (main.content === this.#content || performance.now() - this.#rereadAt < REREAD_MS) return;
    this.#rereadAt = performance.now();
    checkSize(main, this.#path);
    this.db.pragma('shrink_memory');
    for (const table of ['meta', 'services', 'instances']) this.all(`SELECT * FROM ${table}`);
    this.#content = main.content;
  }

  all(sql: string, ...parameters: Parameter[]): unknown[] {
    return this.#prepare(sql).all(...parameters);
  }

  get(sql: string, ...parameters: Parameter[]): unknown {
    return this.#prepare(sql).get(...parameters);
  }

  /** Returns how many rows changed. */
  run(sql: string, ...parameters: Parameter[]): number {
    return this.#prepare(sql).run(...parameters).changes;
  }

  /**
   * Closes without an error, whatever state the file is in. If the main file was moved away or replaced, what the log
   * holds goes to where it belongs, and the log is removed: it must not be applied to whatever file takes the place.
   */
  close(): void {
    try {
      this.db.pragma('wal_checkpoint(TRUNCATE)');
      if (stampOfSync(this.#path)?.id !== this.#ids.main) {
        unlinkIfSame(`${this.#path}-wal`, this.#ids.wal);
        unlinkIfSame(`${this.#path}-shm`, this.#ids.shm);
      }
    } catch {
      // the file cannot be written to; SQLite recovers it from the log at the next open
    }
    this.db.close();
  }

  #prepare(sql: string): Database.Statement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/**
 * For its owner alone, as the log next to it will be: it holds environments, and what opens webhooks. To close a file drops the
 * locks that this process has on it, but on one that has not been there it has none.
 */
function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (stampOfSync(path) === null) closeSync(openSync(path, 'a', OWNER_ONLY));
}

/** Shows most damage that the log still hides, because it holds newer copies of the pages in question. */
function checkSize({ size }: FileStamp, path: string): void {
  if (size % PAGE_BYTES !== 0) throw damaged(path, `${size} bytes are no whole number of pages`);
}

function useWriteAheadLog(db: Database.Database, path: string): void {
  const mode = db.pragma('journal_mode = WAL', { simple: true });
  if (mode === 'wal') return;
  const message = `The registry ${path} lies on a file system without shared memory. Set registry.path to a local disk.`;
  throw new HeimdallError('REGISTRY_UNAVAILABLE', message, { path });
}
