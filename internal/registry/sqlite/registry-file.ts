import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { HeimdallError } from '../../model/errors.ts';
import type { ManagerRecord, ProxyRecord } from '../registry.ts';
import { faultOf } from './faults.ts';
import { APPLICATION_ID } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';

/** For how long a lock of another process is waited for, in milliseconds. */
const PATIENCE_MS = 5_000;

const MetaSchema = z.object({ registryId: z.string(), revision: z.int() });
const CountSchema = z.object({ count: z.int() });
const ManagerSchema = z.object({ pid: z.int(), startedAt: z.number(), heartbeatAt: z.number() });
const ProxySchema = ManagerSchema.extend({ id: z.string(), appliedRevision: z.int().nullable() });
const LastSchema = z.object({ at: z.number().nullable() });
const InstanceSchema = z.object({ id: z.string() });

/** The number of the last migration that this heimdall knows. */
export const NEWEST_SCHEMA = MIGRATIONS.length;

/** What a registry holds, in figures. */
export interface RegistryContent {
  readonly registryId: string;
  readonly revision: number;
  /** The number of the last migration that was run on it. */
  readonly schema: number;
  readonly services: number;
  readonly instances: number;
  readonly deployments: number;
  readonly events: number;
}

/** Who uses a registry, or has left it without a word. */
export interface RegistryUsers {
  readonly manager: ManagerRecord | null;
  readonly proxies: readonly Omit<ProxyRecord, 'inFlight'>[];
  /** Of all instances that it knows. */
  readonly instanceIds: readonly string[];
}

/** All of it that can be told from outside. */
export interface RegistryFile {
  /** What is wrong with it, in words that follow "it"; null when nothing is. */
  readonly flaw: string | null;
  /** Null when it has a flaw; so are the following. */
  readonly content: RegistryContent | null;
  readonly users: RegistryUsers | null;
  /** Of the youngest event, in epoch milliseconds; also null when there is none. */
  readonly lastEventAt: number | null;
}

/** @throws {HeimdallError} as `openToRead`. */
export function readRegistryFile(path: string): RegistryFile {
  const db = openToRead(path);
  try {
    const flaw = flawOf(db);
    if (flaw !== null) return { flaw, content: null, users: null, lastEventAt: null };
    const { at } = LastSchema.parse(db.prepare('SELECT max(at) AS at FROM events').get());
    return { flaw, content: contentOf(db), users: usersOf(db), lastEventAt: at };
  } finally {
    db.close();
  }
}

/**
 * A registry's file as seen by whoever neither manages nor balances: nothing in it is changed, not even its form. Without a log
 * beside it, closing has nothing to write, and takes the files along that opening has made; with one, both must stay.
 * @throws {HeimdallError} REGISTRY_UNAVAILABLE when there is none, or it cannot be read.
 */
export function openToRead(path: string): Database.Database {
  if (!existsSync(path)) {
    const message = `There is no registry ${path}; it is made when heimdall is started with this configuration.`;
    throw new HeimdallError('REGISTRY_UNAVAILABLE', message, { path });
  }
  try {
    return new Database(path, { fileMustExist: true, readonly: existsSync(`${path}-wal`), timeout: PATIENCE_MS });
  } catch (error) {
    throw faultOf(error, path);
  }
}

/** Why the file is none that this heimdall can use, in words that follow "it"; null when all is well. Reads every page. */
export function flawOf(db: Database.Database): string | null {
  try {
    const application = db.pragma('application_id', { simple: true });
    if (application !== APPLICATION_ID) return 'is no registry of heimdall';
    const version = schemaOf(db);
    if (version > NEWEST_SCHEMA) {
      return `was made by a newer heimdall: its schema is ${version}, this one knows ${NEWEST_SCHEMA}; install that version`;
    }
    const verdict = db.pragma('quick_check(1)', { simple: true });
    return verdict === 'ok' ? null : `is damaged: ${String(verdict)}`;
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    return error.code === 'SQLITE_NOTADB' ? 'is no SQLite database' : `is damaged: ${error.message}`;
  }
}

/** Call it on a file without a flaw. */
export function contentOf(db: Database.Database): RegistryContent {
  const schema = schemaOf(db);
  const count = (table: string) => CountSchema.parse(db.prepare(`SELECT count(*) AS count FROM ${table}`).get()).count;
  return {
    ...MetaSchema.parse(db.prepare('SELECT registry_id AS registryId, revision FROM meta').get()),
    schema,
    services: count('services'),
    instances: count('instances'),
    deployments: schema < 2 ? 0 : count('deployments'),
    events: count('events'),
  };
}

/** Call it on a file without a flaw. */
export function usersOf(db: Database.Database): RegistryUsers {
  const manager = db.prepare('SELECT pid, started_at AS startedAt, heartbeat_at AS heartbeatAt FROM managers').get();
  const proxies = db.prepare(
    'SELECT id, pid, started_at AS startedAt, heartbeat_at AS heartbeatAt, applied_revision AS appliedRevision FROM proxies',
  );
  return {
    manager: manager === undefined ? null : ManagerSchema.parse(manager),
    proxies: z.array(ProxySchema).parse(proxies.all()),
    instanceIds: z
      .array(InstanceSchema)
      .parse(db.prepare('SELECT id FROM instances').all())
      .map(({ id }) => id),
  };
}

export function schemaOf(db: Database.Database): number {
  return Number(db.pragma('user_version', { simple: true }));
}
