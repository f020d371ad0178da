import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomFrom } from '../../chaos/random.ts';
import { ACTS, everyPlanned, nextPlanned } from '../../chaos/schedule.ts';

function schedule(seed: number, count: number) {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => nextPlanned(random));
}

describe('the schedule', () => {
  it('is the same for the same seed, whoever follows it', () => {
    assert.deepEqual(schedule(5, 50), schedule(5, 50));
    assert.notDeepEqual(schedule(6, 50), schedule(5, 50));
  });

  it('has every act once when it is to be short', () => {
    const names = everyPlanned(randomFrom(1)).map(({ name }) => name);
    assert.deepEqual(names.toSorted(), ACTS.toSorted());
    assert.notDeepEqual(
      everyPlanned(randomFrom(2)).map(({ name }) => name),
      names,
    );
  });

  it('has every act, and asks for nothing that is not there', () => {
    const acts = schedule(1, 500);
    assert.deepEqual(new Set(acts.map(({ name }) => name)), new Set(ACTS));
    assert.deepEqual(new Set(acts.map(({ instances }) => instances)), new Set([1, 2, 3, 4, 5]));
    assert.ok(acts.every(({ which }) => which >= 0 && which < 1));
  });
});
