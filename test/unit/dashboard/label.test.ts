import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labelIn } from '../../../internal/dashboard/flow/label.ts';

describe('a label in the picture of the flow', () => {
  it('has its figure beside it where there is room, else under it', () => {
    assert.deepEqual(labelIn(70, 'web', '120/s'), { text: 'web', isNarrow: false });
    assert.deepEqual(labelIn(60, 'web', '120/s'), { text: 'web', isNarrow: true });
  });

  it('is cut when it is too long by itself', () => {
    assert.deepEqual(labelIn(56, 'legacy-billing', '3/s'), { text: 'legacy-…', isNarrow: true });
    assert.equal(labelIn(0, 'legacy-billing', '3/s').text, 'l…');
  });
});
