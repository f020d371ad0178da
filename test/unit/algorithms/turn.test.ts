import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newTurn, Turn } from '../../../internal/algorithms/turn.ts';
import { candidate } from './candidates.ts';

const CANDIDATES = new Map(Array.from('abcdefgh', (id) => [id, candidate(id)]));

/** Single letters, in the order of their ordinals. */
function listOf(ids: string) {
  return Array.from(ids, (id) => CANDIDATES.get(id) ?? assert.fail());
}

/** Gives the turn to one of the first list, with two picks left, then follows the second. */
function moved(from: string, holder: number, to: string): { holder: number; left: number } {
  const turn = new Turn(newTurn());
  turn.follow(listOf(from));
  turn.pass(listOf(from), holder);
  turn.left = 2;
  turn.follow(listOf(to));
  return { holder: turn.holder, left: turn.left };
}

describe('a turn', () => {
  it('stays with its holder, and the rest of it too', () => {
    assert.deepEqual(moved('bcde', 2, 'acdh'), { holder: 2, left: 2 });
  });

  it('ends before the next one in the cycle when the holder is gone', () => {
    assert.deepEqual(moved('abcd', 1, 'acd'), { holder: 0, left: 0 });
  });

  it('passes over all that are gone, around the end of the list', () => {
    assert.deepEqual(moved('bcdg', 3, 'bef'), { holder: 2, left: 0 });
  });

  it('goes to whoever comes after the holder when nobody stays', () => {
    assert.deepEqual(moved('bcd', 1, 'aefg'), { holder: 0, left: 0 });
  });

  it('stands before the first of the first list', () => {
    const turn = new Turn(newTurn());
    turn.follow(listOf('a'));
    assert.deepEqual([turn.holder, turn.left], [-1, 0]);
  });

  it('is one for all who share its memory, whatever their lists', () => {
    const memory = newTurn();
    const [one, other] = [new Turn(memory), new Turn(memory)];
    one.follow(listOf('abcd'));
    one.pass(listOf('abcd'), 2);
    one.left = 1;
    other.follow(listOf('bc'));
    assert.deepEqual([other.holder, other.left], [1, 1]);
    other.pass(listOf('bc'), 0);
    one.follow(listOf('abcd'));
    assert.equal(one.holder, 1);
  });
});
