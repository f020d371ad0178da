import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { hasCode } from '../../../../internal/model/errors.ts';
import { Handle } from '../../../../internal/registry/sqlite/handle.ts';
import { MIGRATIONS } from '../../../../internal/registry/sqlite/migrations.ts';

describe('the schema of the SQLite registry', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-migrate-'));
    path = join(folder, 'deeper', 'registry.db');
  });
  afterEach(() => rm(folder, { recursive: true }));

  function withHandle<T>(work: (handle: Handle) => T, create = true): T {
    const handle = new Handle({ path, create, checkpointPages: 1_000 });
    try {
      return work(handle);
    } finally {
      handle.close();
    }
  }
  const pragma = (name: string) => withHandle(({ db }) => db.pragma(name, { simple: true }));

  it('is made with its folder, in a write-ahead log, at the newest version', () => {
    assert.equal(pragma('user_version'), MIGRATIONS.length);
    assert.equal(pragma('journal_mode'), 'wal');
    assert.equal(pragma('synchronous'), 1);
    assert.equal(pragma('foreign_keys'), 1);
  });

  it('consists of strict tables only', () => {
    const tables = withHandle((handle) =>
      handle.all(
        `SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND NOT strict`,
      ),
    );
    assert.deepEqual(tables, []);
  });

  it('refuses two rows on one host and port', () => {
    const insert = `INSERT INTO instances (id, service, host, port, weight, lifecycle, env, restarts)
      VALUES (?, 'web', 'localhost', 9000, 1, 'ready', '{}', 0)`;
    withHandle((handle) => {
      handle.run(insert, 'a');
      assert.throws(() => handle.run(insert, 'b'), /UNIQUE constraint failed/);
    });
  });

  it('is left alone by a second opening', () => {
    const id = () => withHandle((handle) => handle.get('SELECT registry_id FROM meta'));
    assert.deepEqual(id(), id());
  });

  it('refuses a store of a newer version, and says which', () => {
    withHandle(({ db }) => db.pragma('user_version = 99'));
    assert.throws(
      () => pragma('user_version'),
      (error) => {
        assert.ok(hasCode(error, 'REGISTRY_BROKEN'));
        assert.match(error.message, /newer heimdall.*99/);
        return true;
      },
    );
  });

  it('refuses the database of another program', () => {
    withHandle(({ db }) => {
      db.pragma('application_id = 7');
      db.pragma('user_version = 0');
    });
    assert.throws(
      () => pragma('user_version'),
      (error) => hasCode(error, 'REGISTRY_BROKEN') && error.message.includes('another program'),
    );
  });

  it('never lets SQLite itself wait for a lock: that would hold the event loop', () => {
    assert.equal(pragma('busy_timeout'), 0);
  });

  it('makes no file where one must exist', () => {
    assert.throws(() => withHandle(() => undefined, false));
  });
});
