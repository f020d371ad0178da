import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Turn } from '../../../internal/algorithms/turn.ts';
import { candidate } from './candidates.ts';

/** Follows the first list with the turn at `holder`, then the second; ids are single letters. */
function moved(from: string, holder: number, to: string): Turn {
  const known = new Map(Array.from(from + to, (id) => [id, candidate(id)]));
  const listOf = (ids: string) => Array.from(ids, (id) => known.get(id) ?? assert.fail());
  const turn = new Turn();
  turn.follow(listOf(from));
  turn.holder = holder;
  turn.left = 2;
  turn.follow(listOf(to));
  return turn;
}

describe('a turn', () => {
  it('stays with its holder, and the rest of it too', () => {
    const { holder, left } = moved('abcd', 2, 'xcab');
    assert.deepEqual({ holder, left }, { holder: 1, left: 2 });
  });

  it('ends before the next one in the cycle when the holder is gone', () => {
    const { holder, left } = moved('abcd', 1, 'acd');
    assert.deepEqual({ holder, left }, { holder: 0, left: 0 });
  });

  it('passes over all that are gone, around the end of the list', () => {
    const { holder, left } = moved('abcd', 2, 'xyb');
    assert.deepEqual({ holder, left }, { holder: 1, left: 0 });
  });

  it('begins anew when nobody stays', () => {
    const { holder, left } = moved('abc', 1, 'xy');
    assert.deepEqual({ holder, left }, { holder: -1, left: 0 });
  });

  it('stands before the first of the first list', () => {
    const turn = new Turn();
    turn.follow([candidate('a')]);
    assert.deepEqual([turn.holder, turn.left], [-1, 0]);
  });
});
