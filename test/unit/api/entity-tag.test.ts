import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Request } from 'express';
import { entityTag, matchesStrongly, matchesWeakly, wantedTags } from '../../../internal/api/entity-tag.ts';

const SETTINGS = { id: 'web-1', service: 'web', url: 'http://127.0.0.1:9000', version: null, weight: 1 };

const wanted = (value: string) => wantedTags({ headers: { 'if-match': value } } as Request, 'if-match');

describe('an entity tag', () => {
  it('is the same for the same settings only', () => {
    assert.equal(entityTag(SETTINGS), entityTag({ ...SETTINGS }));
    assert.notEqual(entityTag(SETTINGS), entityTag({ ...SETTINGS, weight: 2 }));
  });

  it('is compared with a list, strongly or weakly, and with a star', () => {
    const list = wanted('W/"a" , "b,c",\t"d"');
    assert.deepEqual(list, ['W/"a"', '"b,c"', '"d"']);
    assert.ok(list !== null);
    assert.deepEqual(
      ['"a"', '"b,c"', '"x"'].map((tag) => [matchesStrongly(list, tag), matchesWeakly(list, tag)]),
      [
        [false, true],
        [true, true],
        [false, false],
      ],
    );
    const any = wanted('*');
    assert.ok(any !== null && matchesStrongly(any, '"x"') && matchesWeakly(any, '"x"'));
  });

  for (const value of ['', 'abc', '"a', '"a" "b"', '*, "a"', 'w/"a"', '"a",', `"a"${', '.repeat(8_000)}x`]) {
    it(`is not ${JSON.stringify(value.slice(0, 20))}`, () => {
      assert.throws(() => wanted(value), /header\.If-Match: expected/);
    });
  }
});
