import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { hasCode } from '../../../../internal/model/errors.ts';
import type { Snapshot } from '../../../../internal/registry/registry.ts';
import { Handle } from '../../../../internal/registry/sqlite/handle.ts';
import { insertInstance, raiseRevision } from '../../../../internal/registry/sqlite/instances.ts';
import { Snapshots } from '../../../../internal/registry/sqlite/snapshots.ts';
import { instance } from '../../../support/instance-row.ts';

describe('the pictures of the SQLite registry', () => {
  let folder: string;
  let handle: Handle;
  let snapshots: Snapshots;
  let before: Snapshot;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-snapshots-'));
    handle = new Handle({ path: join(folder, 'registry.db'), create: true, checkpointPages: 1_000 });
    for (const [index, id] of ['a', 'b', 'c'].entries()) insertInstance(handle, instance(id, { port: 1 + index }));
    raiseRevision(handle);
    snapshots = new Snapshots();
    before = snapshots.read(handle);
  });
  afterEach(async () => {
    handle.close();
    await rm(folder, { recursive: true });
  });

  /** What is read now, which is also what somebody reads who knows nothing. */
  function read(): Snapshot {
    const picture = snapshots.read(handle);
    assert.deepEqual(picture, new Snapshots().read(handle));
    return picture;
  }
  const idsOf = ({ instances }: Snapshot) => instances.map(({ id }) => id);

  it('have what has not changed in common, whoever changed the rest', () => {
    // as an earlier version does that knows nothing of `changed`
    handle.run("UPDATE instances SET weight = 7 WHERE id = 'b'");
    raiseRevision(handle);
    const after = read();
    assert.equal(after.instances[0], before.instances[0]);
    assert.equal(after.instances[1]?.weight, 7);
    assert.equal(after.instances[2], before.instances[2]);
    raiseRevision(handle);
    assert.equal(read().instances, after.instances);
  });

  it('lack what is gone, and have what has come instead', () => {
    handle.run("DELETE FROM instances WHERE id IN ('a', 'c')");
    insertInstance(handle, instance('d', { port: 1 }));
    raiseRevision(handle);
    assert.deepEqual(idsOf(read()), ['b', 'd']);
    handle.run("DELETE FROM instances WHERE id = 'd'");
    insertInstance(handle, instance('e', { port: 5 }));
    raiseRevision(handle);
    assert.deepEqual(idsOf(read()), ['b', 'e']);
  });

  it('miss nothing that was changed without a new revision before the next one', () => {
    handle.run("UPDATE instances SET weight = 3 WHERE id = 'a'");
    assert.equal(snapshots.read(handle).instances, before.instances);
    handle.run("UPDATE instances SET weight = 4 WHERE id = 'c'");
    raiseRevision(handle);
    assert.deepEqual(
      read().instances.map(({ weight }) => weight),
      [3, 1, 4],
    );
  });

  it('are whole again once a row that was damaged has been mended', () => {
    handle.run("UPDATE instances SET env = 'garbage' WHERE id = 'b'");
    raiseRevision(handle);
    for (let n = 0; n < 2; n += 1)
      assert.throws(
        () => snapshots.read(handle),
        (error) => hasCode(error, 'REGISTRY_BROKEN'),
      );
    handle.run("UPDATE instances SET env = '{}' WHERE id = 'b'");
    assert.deepEqual(idsOf(read()), ['a', 'b', 'c']);
  });

  it('are of the registry at hand: another one has nothing in common with the one before', () => {
    handle.run("UPDATE meta SET registry_id = 'another', revision = revision + 5");
    handle.run("UPDATE instances SET id = 'x', changed = 0 WHERE id = 'a'");
    assert.deepEqual(idsOf(read()).toSorted(), ['b', 'c', 'x']);
    handle.run('UPDATE meta SET revision = 1');
    handle.run("UPDATE instances SET weight = 9, changed = 1 WHERE id = 'b'");
    assert.equal(read().instances.find(({ id }) => id === 'b')?.weight, 9);
  });
});
