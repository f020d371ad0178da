import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clip, formatDuration } from '../../../pkg/alerts/words.ts';

describe('a duration', () => {
  const cases: readonly (readonly [number, string])[] = [
    [-5, '0 s'],
    [0, '0 s'],
    [849, '0.8 s'],
    [9_940, '9.9 s'],
    [9_960, '10 s'],
    [60_000, '1 min'],
    [125_400, '2 min 5 s'],
    [3_600_000, '1 h'],
    [11_045_000, '3 h 4 min'],
    [86_400_000 + 59_000, '1 d'],
    [90_000_000, '1 d 1 h'],
  ];
  for (const [milliseconds, text] of cases) {
    it(`of ${milliseconds} ms reads ${text}`, () => assert.equal(formatDuration(milliseconds), text));
  }
});

describe('a clipped text', () => {
  it('is left alone when it fits, and ends with an ellipsis when not', () => {
    assert.equal(clip('four', 4), 'four');
    assert.equal(clip('fives', 4), 'fiv…');
  });

  it('is never cut through a character', () => {
    assert.equal(clip('ab😀cd', 4), 'ab…');
  });
});
