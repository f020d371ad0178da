import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RoundRobin } from '../../../internal/algorithms/round-robin.ts';
import { candidate, picks, tally } from './candidates.ts';

describe('round robin', () => {
  it('goes through the candidates in order', () => {
    assert.equal(picks(new RoundRobin(), [candidate('a'), candidate('b'), candidate('c')], 7), 'a b c a b c a');
  });

  it('gives a candidate of weight w as many turns in a row', () => {
    assert.equal(
      picks(new RoundRobin(), [candidate('a', 3), candidate('b'), candidate('c', 2)], 9),
      'a a a b c c a a a',
    );
  });

  it('saves up fractions of a turn', () => {
    assert.equal(picks(new RoundRobin(), [candidate('a', 0.5), candidate('b', 1.5)], 8), 'b a b b b a b b');
  });

  it('owes nothing for the credit that another algorithm left behind', () => {
    const [a, b] = [candidate('a'), candidate('b')];
    a.current = 40;
    b.current = -70;
    assert.equal(picks(new RoundRobin(), [a, b], 4), 'a b a b');
  });

  it('goes on where it was when a candidate comes', () => {
    const balancer = new RoundRobin();
    const [a, b, c] = [candidate('a'), candidate('b'), candidate('c')];
    assert.equal(picks(balancer, [a, c], 1), 'a');
    assert.equal(picks(balancer, [a, b, c], 4), 'b c a b');
  });

  it('goes on at the next one when the candidate that held the turn goes', () => {
    const balancer = new RoundRobin();
    const [a, b, c, d] = [candidate('a'), candidate('b', 5), candidate('c'), candidate('d')];
    assert.equal(picks(balancer, [a, b, c, d], 2), 'a b');
    assert.equal(picks(balancer, [a, c, d], 4), 'c d a c');
  });

  it('keeps the remaining turns of a heavy candidate over a change elsewhere', () => {
    const balancer = new RoundRobin();
    const [a, b, c] = [candidate('a'), candidate('b', 4), candidate('c')];
    assert.equal(picks(balancer, [a, b, c], 3), 'a b b');
    assert.equal(picks(balancer, [b, c], 4), 'b b c b');
  });

  it('starts from the beginning with a list that has nothing in common with the last one', () => {
    const balancer = new RoundRobin();
    picks(balancer, [candidate('a'), candidate('b')], 1);
    assert.equal(picks(balancer, [candidate('c'), candidate('d')], 3), 'c d c');
  });

  it('takes the turn of a retry from the same cycle', () => {
    const balancer = new RoundRobin();
    const [a, b, c] = [candidate('a'), candidate('b'), candidate('c')];
    const all = [a, b, c];
    assert.equal(picks(balancer, all, 1), 'a');
    assert.equal(picks(balancer, [b, c], 1), 'b');
    assert.equal(picks(balancer, all, 3), 'c a b');
  });

  it('spreads the retries of a failing candidate over all the others', () => {
    const balancer = new RoundRobin();
    const all = ['a', 'b', 'c', 'd'].map((id) => candidate(id));
    const picked: string[] = [];
    for (let n = 0; n < 1_200; n += 1) {
      const first = balancer.pick(all).id;
      picked.push(first);
      if (first === 'a') picked.push(balancer.pick(all.slice(1)).id);
    }
    const counts = tally(picked);
    const others = ['b', 'c', 'd'].map((id) => counts.get(id) ?? 0);
    assert.ok(Math.max(...others) - Math.min(...others) <= 1, `picks ${others.join(' ')}`);
  });

  it('goes on fairly over a list that changes with every pick', () => {
    const balancer = new RoundRobin();
    const [a, b, c, d] = [candidate('a'), candidate('b'), candidate('c'), candidate('d')];
    const picked: string[] = [];
    for (let n = 0; n < 1_000; n += 1) picked.push(balancer.pick(n % 2 === 0 ? [a, b, c, d] : [a, b, c]).id);
    const counts = tally(picked);
    const shares = ['a', 'b', 'c'].map((id) => counts.get(id) ?? 0);
    assert.ok(Math.max(...shares) - Math.min(...shares) <= 1, `picks ${shares.join(' ')}`);
  });
});
