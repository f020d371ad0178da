import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RandomTwoChoices } from '../../../internal/algorithms/random-two-choices.ts';
import { candidate, picks, seededRandom, tally } from './candidates.ts';

/** The numbers one after the other; one more is a failure. */
function scripted(...numbers: number[]): () => number {
  return () => numbers.shift() ?? assert.fail('one draw too many');
}

describe('random two choices', () => {
  it('takes the less loaded of the two it drew', () => {
    const all = [candidate('a', 1, 5), candidate('b', 1, 9), candidate('c', 1, 2), candidate('d')];
    assert.equal(new RandomTwoChoices(scripted(0, 0.4)).pick(all).id, 'c'); // a, then c of b c d
    assert.equal(new RandomTwoChoices(scripted(0.6, 0.4)).pick(all).id, 'c'); // c, then b of a b d
    assert.equal(new RandomTwoChoices(scripted(0.3, 0)).pick(all).id, 'a'); // b, then a of a c d
  });

  it('takes the first drawn of two equals', () => {
    const all = [candidate('a'), candidate('b')];
    assert.equal(new RandomTwoChoices(scripted(0.9, 0)).pick(all).id, 'b');
    assert.equal(new RandomTwoChoices(scripted(0.1, 0)).pick(all).id, 'a');
  });

  it('measures the load by the weight', () => {
    const all = [candidate('a', 1, 2), candidate('b', 4, 6)];
    assert.equal(new RandomTwoChoices(scripted(0, 0)).pick(all).id, 'b');
  });

  it('never draws the same one twice', () => {
    const all = [candidate('a', 1, 5), candidate('b', 1, 4)];
    assert.equal(tally(picks(new RandomTwoChoices(seededRandom()), all, 100).split(' ')).get('b'), 100);
  });

  it('stays inside the list at both ends of the random range', () => {
    const all = [candidate('a', 0.1), candidate('b', 0.2), candidate('c', 0.3)];
    const last = 1 - 2 ** -53;
    assert.equal(new RandomTwoChoices(scripted(last, last)).pick(all).id, 'c');
    assert.equal(new RandomTwoChoices(scripted(0, 0)).pick(all).id, 'a');
  });

  it('draws heavy candidates more often, beyond 2/n of the picks', () => {
    const all = [candidate('a', 9), ...Array.from('bcdefghij', (id) => candidate(id))];
    const share = (tally(picks(new RandomTwoChoices(seededRandom()), all, 10_000).split(' ')).get('a') ?? 0) / 10_000;
    assert.ok(Math.abs(share - 0.5) < 0.03, `share ${share}`);
  });
});
