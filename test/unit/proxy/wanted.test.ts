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

  it('is looked at as a whole when the service has other settings', () => {
    const before = new Wanted(WEB, [A, B]);
    const next = service({ servers: ['127.0.0.1:2'] });
    assert.deepEqual(ids(new Wanted(next, [B]).since(before)), {
      changed: ['web@127.0.0.1:2', 'b'],
      gone: ['web@127.0.0.1:1', 'a'],
    });
  });
});
