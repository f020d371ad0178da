import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_RATE_LIMITS } from '../../../../internal/model/room.ts';
import type { Words } from '../../../../internal/proxy/rate-limit/half-sip-hash.ts';
import { Tallies } from '../../../../internal/proxy/rate-limit/tallies.ts';

function limits(from: number, to: number): Words[] {
  return Array.from({ length: to - from }, (_, n) => ({ low: from + n + 1, high: 7 }));
}

function threads(): [main: Tallies, thread: Tallies] {
  const buffer = new SharedArrayBuffer(Tallies.bytes(1));
  return [new Tallies(1, 0, buffer, 0), new Tallies(1, 1, buffer, 0)];
}

describe('the tallies of limits', () => {
  it('have room for as many as may be configured, and find each', () => {
    const [main, thread] = threads();
    const all = limits(0, MAX_RATE_LIMITS);
    main.keep(all);
    const places = all
      .slice(0, 10)
      .concat(all.slice(-10))
      .map((limit) => thread.placeOf(limit));
    assert.equal(new Set(places).size, 20);
    const last = places.at(-1) ?? assert.fail();
    thread.count(last, true);
    thread.count(last, false);
    main.count(last, false);
    assert.deepEqual(main.of(last), { granted: 1, refused: 2 });
    assert.deepEqual(main.of(places[0] ?? assert.fail()), { granted: 0, refused: 0 });
  });

  it('give the place of a limit that is gone to another one as late as can be, and with nothing in it', () => {
    const [main, thread] = threads();
    const [gone = assert.fail(), ...others] = limits(0, 3);
    main.keep([gone, ...others]);
    const place = thread.placeOf(gone) ?? assert.fail();
    thread.count(place, true);
    main.keep(others);
    const [next = assert.fail()] = limits(3, 4);
    main.keep([...others, next]);
    assert.notEqual(thread.placeOf(next), place);
    const many = limits(4, MAX_RATE_LIMITS + 1);
    main.keep([...others, next, ...many]);
    const heir = many.findIndex((limit) => thread.placeOf(limit) === place);
    assert.notEqual(heir, -1);
    assert.deepEqual(main.of(place), { granted: 0, refused: 0 });
    assert.equal(thread.placeOf(gone), null);
  });
});
