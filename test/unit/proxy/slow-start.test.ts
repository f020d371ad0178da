import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Admission, admit, isRamping, shareAfter, sharesOf } from '../../../internal/proxy/slow-start.ts';

const WINDOW = 10_000;
const OLD: Admission = { at: 0, isNew: false, ramps: false };

describe('the share of a new upstream', () => {
  it('grows in a straight line from a tenth to all of its weight', () => {
    const shares = [0, 500, 1_000, 2_500, 5_000, 9_900, 10_000, 60_000].map((elapsed) => shareAfter(elapsed, WINDOW));
    assert.deepEqual(shares, [0.1, 0.1, 0.1, 0.25, 0.5, 0.99, 1, 1]);
  });

  it('is less beside one that is not new, and all beside others that are as new', () => {
    const first = admit([], 0, WINDOW);
    const second = admit([first], 4_000, WINDOW);
    assert.deepEqual([first.ramps, second.ramps], [false, false]);
    const third = admit([first, second], 10_000, WINDOW); // the first is not new any more
    assert.equal(third.ramps, true);
    assert.deepEqual(sharesOf([first, second, third], 12_500, WINDOW), [1, 1, 0.25]);
    assert.equal(admit([OLD], 1, WINDOW).ramps, true);
  });

  it('is all of it once those are gone that carried the load', () => {
    const young = admit([OLD], 0, WINDOW);
    const younger = admit([OLD, young], 2_000, WINDOW);
    assert.deepEqual(sharesOf([OLD, young, younger], 4_000, WINDOW), [1, 0.4, 0.2]);
    assert.deepEqual(sharesOf([young, younger], 4_000, WINDOW), [1, 1]);
  });

  it('is all of it at once where there is no slow start', () => {
    const young = admit([OLD], 0, null);
    assert.deepEqual(sharesOf([OLD, young], 0, null), [1, 1]);
    assert.equal(isRamping({ at: 0, isNew: true, ramps: true }, 1, null), false);
  });
});
