import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ejectable, ejectionMs, mostEjected, type Suspect } from '../../../internal/health/ejection.ts';

const TIMES = { ejectionTime: 10_000, maxEjectionTime: 300_000 };

function suspect(who: string, isHard = true): Suspect<string> {
  return { who, cause: 'it fails', isHard };
}

function namesOf(suspects: readonly Suspect<string>[]): string[] {
  return suspects.map(({ who }) => who);
}

describe('the time of an ejection', () => {
  it('grows with each one in a row, up to the longest', () => {
    const times = [1, 2, 3, 30, 31, 1_000].map((k) => ejectionMs(k, TIMES, () => 0));
    assert.deepEqual(times, [10_000, 20_000, 30_000, 300_000, 300_000, 300_000]);
  });

  it('is up to a tenth longer by chance', () => {
    assert.equal(
      ejectionMs(1, TIMES, () => 0.5),
      10_500,
    );
  });
});

describe('how many may be ejected', () => {
  it('is one of up to five, a third of up to nine, then a tenth, or half when they answer nothing', () => {
    const soft = [1, 2, 3, 5, 6, 9, 10, 40, 100].map((size) => mostEjected(size, false, null));
    assert.deepEqual(soft, [1, 1, 1, 1, 2, 3, 3, 4, 10]);
    const hard = [3, 9, 10, 40].map((size) => mostEjected(size, true, null));
    assert.deepEqual(hard, [1, 3, 5, 20]);
  });

  it('is a share of one’s own', () => {
    assert.deepEqual([mostEjected(3, true, 0.7), mostEjected(3, true, 0)], [2, 0]);
  });

  it('leaves the last one that serves', () => {
    const all = { size: 2, ejected: 0, serving: 2, share: 1 };
    assert.deepEqual(namesOf(ejectable([suspect('a'), suspect('b')], all)), ['a']);
    assert.deepEqual(ejectable([suspect('a')], { ...all, serving: 1 }), []);
  });

  it('takes those who fail altogether before those who are merely worse', () => {
    const room = { size: 3, ejected: 0, serving: 3, share: null };
    assert.deepEqual(namesOf(ejectable([suspect('slow', false), suspect('dead')], room)), ['dead']);
  });

  it('is never exceeded, and never everybody', () => {
    const rooms = fc.record({
      size: fc.integer({ min: 1, max: 60 }),
      out: fc.integer({ min: 0, max: 60 }),
      share: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      hard: fc.array(fc.boolean(), { maxLength: 60 }),
    });
    fc.assert(
      fc.property(rooms, ({ size, out, share, hard }) => {
        const ejected = Math.min(out, size);
        const serving = size - ejected;
        const suspects = hard.slice(0, serving).map((isHard, n) => suspect(`web-${n}`, isHard));
        const chosen = ejectable(suspects, { size, ejected, serving, share });
        assert.ok(chosen.length === 0 || ejected + chosen.length <= mostEjected(size, true, share));
        assert.ok(serving === 0 || chosen.length < serving);
        const soft = chosen.filter(({ isHard }) => !isHard).length;
        assert.ok(soft === 0 || ejected + chosen.length <= mostEjected(size, false, share));
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
