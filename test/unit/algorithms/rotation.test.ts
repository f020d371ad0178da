import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Candidate } from '../../../internal/algorithms/balancer.ts';
import { Rotation } from '../../../internal/algorithms/rotation.ts';
import { newTurn } from '../../../internal/algorithms/turn.ts';
import { candidate } from './candidates.ts';

/** Picks from the list the one that is preferred among those of the given ids, all equal. */
function choose(rotation: Rotation, list: readonly Candidate[], equals: string): string {
  rotation.follow(list);
  let chosen = -1;
  for (const [index, { id }] of list.entries()) {
    if (equals.includes(id) && (chosen < 0 || rotation.prefers(index, chosen))) chosen = index;
  }
  const { id } = list[chosen] ?? assert.fail();
  rotation.took(list, chosen);
  return id;
}

function course(list: readonly Candidate[], equals: string, count: number): string {
  const rotation = new Rotation(newTurn());
  return Array.from({ length: count }, () => choose(rotation, list, equals)).join(' ');
}

describe('rotation', () => {
  it('gives equals their turns in order and begins again after the last', () => {
    assert.equal(course([candidate('a'), candidate('b'), candidate('c')], 'abc', 7), 'a b c a b c a');
  });

  it('passes over those that are not among the equals', () => {
    const list = Array.from('abcde', (id) => candidate(id));
    assert.equal(course(list, 'be', 4), 'b e b e');
  });

  it('leaves a heavy one its turn for as many picks as it weighs', () => {
    assert.equal(course([candidate('a'), candidate('b', 3), candidate('c', 0.5)], 'abc', 7), 'a b b b c a b');
  });

  it('follows the candidates, not their indexes, into another list', () => {
    const rotation = new Rotation(newTurn());
    const list = Array.from('abcd', (id) => candidate(id));
    assert.equal(choose(rotation, list, 'abcd'), 'a');
    assert.equal(choose(rotation, list.slice(1), 'bcd'), 'b');
    assert.equal(choose(rotation, list, 'abcd'), 'c');
  });
});
