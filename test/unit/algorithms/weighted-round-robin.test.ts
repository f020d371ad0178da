import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WeightedRoundRobin } from '../../../internal/algorithms/weighted-round-robin.ts';
import { candidate, picks, tally } from './candidates.ts';

const failure = { elapsed: 1, failed: true, now: 0 };
const success = { elapsed: 1, failed: false, now: 0 };

describe('smooth weighted round robin', () => {
  it('interleaves weights 5, 1, 1 as nginx does', () => {
    const all = [candidate('a', 5), candidate('b'), candidate('c')];
    assert.equal(picks(new WeightedRoundRobin(), all, 14), 'a a b a c a a a a b a c a a');
  });

  it('is exact over every full round', () => {
    const balancer = new WeightedRoundRobin();
    const all = [candidate('a', 7), candidate('b', 4), candidate('c', 2)];
    for (let round = 0; round < 5; round += 1) {
      const counts = tally(picks(balancer, all, 13).split(' '));
      assert.deepEqual([counts.get('a'), counts.get('b'), counts.get('c')], [7, 4, 2]);
    }
  });

  it('takes a fifth of the weight for a failure, down to a tenth, and returns 1 per success', () => {
    const balancer = new WeightedRoundRobin();
    const a = candidate('a', 10);
    const course = [failure, failure, failure, failure, failure, failure, success, success].map((sample) => {
      balancer.observe(a, [a], sample);
      return a.effective;
    });
    assert.deepEqual(course, [8, 6, 4, 2, 1, 1, 2, 3]);
    for (let n = 0; n < 20; n += 1) balancer.observe(a, [a], success);
    assert.equal(a.effective, 10);
  });

  it('sends less to a candidate that fails', () => {
    const balancer = new WeightedRoundRobin();
    const [a, b] = [candidate('a', 5), candidate('b', 5)];
    for (let n = 0; n < 3; n += 1) balancer.observe(a, [a, b], failure);
    const counts = tally(picks(balancer, [a, b], 70).split(' '));
    assert.deepEqual([counts.get('a'), counts.get('b')], [20, 50]);
  });

  it('follows a weight that sinks', () => {
    const balancer = new WeightedRoundRobin();
    const [a, b] = [candidate('a', 9), candidate('b')];
    const all = [a, b];
    picks(balancer, all, 10);
    a.weight = 1;
    assert.equal(tally(picks(balancer, all, 20).split(' ')).get('a'), 10);
  });

  it('leaves the credit of candidates outside the list alone', () => {
    const balancer = new WeightedRoundRobin();
    const [a, b, c] = [candidate('a'), candidate('b'), candidate('c')];
    picks(balancer, [a, b, c], 1);
    const before = a.current;
    picks(balancer, [b, c], 5);
    assert.equal(a.current, before);
  });

  it('does not let the debt from a heavier pool starve a candidate in a light one', () => {
    const balancer = new WeightedRoundRobin();
    const [heavy, b, c] = [candidate('heavy', 1_000), candidate('b'), candidate('c')];
    const all = [heavy, b, c];
    assert.ok(picks(balancer, all, 600).endsWith(' heavy'));
    const course = picks(balancer, [b, c], 8);
    assert.equal(tally(course.split(' ')).size, 2, course);
  });
});
