import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NodeRecord } from '../../../internal/model/node.ts';
import { Absences } from '../../../internal/server/absences.ts';

function b(alive: boolean): NodeRecord {
  const note = { url: null, address: '10.0.0.6', version: '1', services: [], cores: 2, load: 0 };
  return { ...note, instances: 0, name: 'b', pid: 1, startedAt: 0, alive, seenAt: 0 };
}

describe('the absences of nodes', () => {
  it('are waited for for half a minute, each from its own beginning', () => {
    const absences = new Absences();
    const at = (alive: boolean, now: number) => {
      absences.look([b(alive)], now);
      return [absences.isAway('b'), absences.gone.has('b')];
    };
    assert.deepEqual(at(true, 0), [false, false]);
    assert.deepEqual(at(false, 1_000), [true, false]);
    assert.deepEqual(at(false, 31_000), [true, false]);
    assert.deepEqual(at(true, 31_001), [false, false]);
    assert.deepEqual(at(false, 32_000), [true, false]);
    assert.deepEqual(at(false, 62_001), [true, true]);
    assert.equal(absences.isAway(null), false);
  });
});
