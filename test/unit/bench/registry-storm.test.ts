import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { propagation } from '../../bench/registry/propagation.ts';
import { storm } from '../../bench/registry/storm.ts';

describe('the storm of the registry benchmark', () => {
  it('takes every instance through a whole life, one at a time, and changes six weights for it', () => {
    const kinds = new Map<number, string[]>();
    const counts: Record<string, number> = { weight: 0, drain: 0, remove: 0, add: 0, ready: 0 };
    const changes = storm(100);
    for (let n = 0; n < 1_000; n += 1) {
      const { kind, place } = changes.next().value;
      counts[kind] = (counts[kind] ?? 0) + 1;
      assert.ok(place >= 0 && place < 100);
      const life = kinds.get(place) ?? [];
      if (kind !== 'weight') kinds.set(place, [...life, kind]);
      else assert.equal(life.length % 4, 0, 'a weight is changed of an instance that is there and ready');
    }
    assert.deepEqual(counts, { weight: 600, drain: 100, remove: 100, add: 100, ready: 100 });
    assert.equal(kinds.size, 100);
    for (const life of kinds.values()) assert.deepEqual(life, ['drain', 'remove', 'add', 'ready']);
  });
});

describe('the propagation of changes', () => {
  it('takes until a picture with the change, or a later one, is in force', () => {
    const commits: [number, number][] = [
      [1, 100],
      [2, 110],
      [3, 120],
    ];
    const { each, all } = propagation(commits, [
      [
        [1, 105],
        [3, 130],
      ],
      [[4, 200]],
    ]);
    assert.deepEqual(all, { p50: 90, p99: 100, max: 100 });
    assert.deepEqual(each, { p50: 20, p99: 100, max: 100 });
  });

  it('is none for a change that never came into force', () => {
    assert.throws(() => propagation([[5, 1]], [[[4, 2]]]), /revision 5 did not come into force/);
  });
});
