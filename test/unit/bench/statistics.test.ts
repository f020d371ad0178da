import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { median, medianInterval } from '../../bench/statistics.ts';

describe('the median', () => {
  it('is the middle value, whatever the order', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([7]), 7);
  });

  it('is the mean of the middle two of an even number', () => {
    assert.equal(median([10, 1, 2, 4]), 3);
  });

  it('is infinite when most values are, and a number when most are numbers', () => {
    assert.equal(median([1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]), Number.POSITIVE_INFINITY);
    assert.equal(median([1, 2, Number.POSITIVE_INFINITY]), 2);
  });

  it('of nothing is no number', () => {
    assert.equal(median([]), Number.NaN);
  });
});

describe('the interval of a median', () => {
  const upTo = (n: number) => Array.from({ length: n }, (_, index) => n - index);

  it('is as wide as tables of the sign test have it', () => {
    assert.deepEqual(medianInterval(upTo(6)), { low: 1, high: 6 });
    assert.deepEqual(medianInterval(upTo(9)), { low: 2, high: 8 });
    assert.deepEqual(medianInterval(upTo(20)), { low: 6, high: 15 });
  });

  it('is unknown of less than six values', () => {
    assert.equal(medianInterval(upTo(5)), null);
    assert.equal(medianInterval([]), null);
  });
});
