import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LeastConnections } from '../../../internal/algorithms/least-connections.ts';
import { candidate, picks } from './candidates.ts';

describe('least connections', () => {
  it('takes the candidate with the fewest requests in flight', () => {
    assert.equal(
      picks(new LeastConnections(), [candidate('a', 1, 3), candidate('b', 1, 1), candidate('c', 1, 2)], 3),
      'b b b',
    );
  });

  it('measures the load by the weight', () => {
    assert.equal(
      picks(new LeastConnections(), [candidate('a', 1, 2), candidate('b', 4, 6), candidate('c', 2, 4)], 2),
      'b b',
    );
  });

  it('takes turns among equals', () => {
    assert.equal(picks(new LeastConnections(), [candidate('a'), candidate('b'), candidate('c')], 7), 'a b c a b c a');
  });

  it('takes turns among equals evenly when a busy one stands between them', () => {
    const all = [candidate('a', 1, 9), candidate('b'), candidate('c', 1, 9), candidate('d'), candidate('e')];
    assert.equal(picks(new LeastConnections(), all, 7), 'b d e b d e b');
  });

  it('gives an idle heavy candidate its weight in turns', () => {
    assert.equal(picks(new LeastConnections(), [candidate('a', 3), candidate('b')], 8), 'a a a b a a a b');
  });

  it('gives an idle candidate below a weight of 1 its part of a turn', () => {
    const all = [candidate('a'), candidate('b'), candidate('c', 0.25)];
    const order = picks(new LeastConnections(), all, 90).split(' ');
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => order.filter((each) => each === name).length),
      [40, 40, 10],
    );
  });

  it('gives everybody turns when all are below a weight of 1', () => {
    const order = picks(new LeastConnections(), [candidate('a', 0.5), candidate('b', 0.5)], 20).split(' ');
    assert.equal(order.filter((each) => each === 'a').length, 10);
  });

  it('fills candidates up in proportion to their weights', () => {
    const balancer = new LeastConnections();
    const all = [candidate('a', 1), candidate('b', 2), candidate('c', 3)];
    for (let n = 0; n < 60; n += 1) balancer.pick(all).inFlight += 1;
    assert.deepEqual(
      all.map(({ inFlight }) => inFlight),
      [10, 20, 30],
    );
  });
});
