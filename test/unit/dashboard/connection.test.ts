import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { freshnessAt, waitAfter } from '../../../internal/dashboard/live/connection.ts';

describe('how fresh the dashboard is', () => {
  it('is stale when no tick came for three seconds', () => {
    assert.equal(freshnessAt(5_000, null).kind, 'loading');
    assert.equal(freshnessAt(5_000, 2_000).kind, 'fresh');
    assert.deepEqual(freshnessAt(5_001, 2_000), { kind: 'stale', ageMs: 3_001 });
  });
});

describe('the wait before the next attempt', () => {
  it('doubles up to ten seconds', () => {
    const waits = [1, 2, 3, 5, 6, 50].map((failures) => waitAfter(failures, 0));
    assert.deepEqual(waits, [500, 1_000, 2_000, 8_000, 10_000, 10_000]);
  });

  it('differs from page to page by up to a half', () => {
    assert.deepEqual([waitAfter(2, 0.5), waitAfter(2, 1)], [750, 500]);
  });
});
