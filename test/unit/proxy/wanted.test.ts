import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Wanted } from '../../../internal/proxy/wanted.ts';
import { instance, service } from '../../support/proxy-fakes.ts';

const WEB = service({ servers: ['127.0.0.1:1'] });
const [A, B, C] = [instance('a'), instance('b'), instance('c')];

describe('what a pool is to consist of', () => {
  const ids = ({ changed, gone }: ReturnType<Wanted['since']>) => ({ changed: changed.map(({ id }) => id), gone });

  it('is all new at first, with what the service declares', () => {
    assert.deepEqual(ids(new Wanted(WEB, [A, B]).since(null)), { changed: ['web@127.0.0.1:1', 'a', 'b'], gone: [] });
  });

  it('differs by new, changed and removed rows, and by nothing else', () => {
    const before = new Wanted(WEB, [A, B, C]);
    assert.deepEqual(ids(new Wanted(WEB, [C, B, A]).since(before)), { changed: [], gone: [] });
    const changed = { ...B, weight: 5 };
    const after = new Wanted(WEB, [changed, C, instance('d')]);
    assert.deepEqual(ids(after.since(before)), { changed: ['b', 'd'], gone: ['a'] });
    assert.equal(after.since(before).changed[0], changed);
  });

  it('differs by the same, however many rows came, went, changed or moved', () => {
    let seed = 1;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    let rows = Array.from({ length: 30 }, (_, n) => instance(`row-${n}`));
    for (let round = 0; round < 200; round += 1) {
      const before = rows;
      rows = before.flatMap((row) => {
        const what = random(12);
        if (what === 0) return [];
        if (what === 1) return [{ ...row, weight: round }];
        return what === 2 ? [row, instance(`row-${round}-${row.id}`.slice(0, 40))] : [row];
      });
      if (random(4) === 0) rows = rows.toReversed();
      rows = rows.slice(0, 40);
      const { changed, gone } = new Wanted(WEB, rows).since(new Wanted(WEB, before));
      const [known, present] = [new Set(before), new Set(rows.map(({ id }) => id))];
      const isNews = changed.filter((row) => !known.has(row));
      assert.deepEqual(new Set(isNews), new Set(rows.filter((row) => !known.has(row))));
      assert.deepEqual(new Set(gone), new Set(before.map(({ id }) => id).filter((id) => !present.has(id))));
    }
  });

  it('is looked at as a whole when the service has other settings', () => {
    const before = new Wanted(WEB, [A, B]);
    const next = service({ servers: ['127.0.0.1:2'] });
    assert.deepEqual(ids(new Wanted(next, [B]).since(before)), {
      changed: ['web@127.0.0.1:2', 'b'],
      gone: ['web@127.0.0.1:1', 'a'],
    });
  });
});
