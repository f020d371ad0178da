import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StickyRoundRobin } from '../../../internal/algorithms/sticky-round-robin.ts';
import { candidate, picks, request, tally } from './candidates.ts';

describe('sticky round robin', () => {
  it('sends a returning client to its own candidate every time', () => {
    const all = [candidate('a'), candidate('b'), candidate('c')];
    assert.equal(picks(new StickyRoundRobin(), all, 5, request({ affinity: 'b' })), 'b b b b b');
  });

  it('spreads new clients by weight', () => {
    const all = [candidate('a', 5), candidate('b'), candidate('c')];
    assert.equal(picks(new StickyRoundRobin(), all, 7), 'a a b a c a a');
  });

  it('falls over to another candidate when the named one is gone', () => {
    const balancer = new StickyRoundRobin();
    const [a, b, c] = [candidate('a'), candidate('b'), candidate('c')];
    picks(balancer, [a, b, c], 3, request({ affinity: 'b' }));
    const counts = tally(picks(balancer, [a, c], 10, request({ affinity: 'b' })).split(' '));
    assert.deepEqual([counts.get('a'), counts.get('c')], [5, 5]);
  });

  it('sends new clients to the candidates that returning ones use less', () => {
    const balancer = new StickyRoundRobin();
    const all = [candidate('a'), candidate('b'), candidate('c')];
    picks(balancer, all, 2, request({ affinity: 'a' }));
    assert.equal(picks(balancer, all, 4), 'b c b c');
  });

  it('forgets within a few rounds that a client was busy', () => {
    const balancer = new StickyRoundRobin();
    const all = [candidate('a'), candidate('b'), candidate('c')];
    picks(balancer, all, 10_000, request({ affinity: 'a' }));
    assert.match(picks(balancer, all, 9), /a/);
  });

  it('sends fewer new clients to a candidate that fails', () => {
    const balancer = new StickyRoundRobin();
    const [a, b] = [candidate('a', 5), candidate('b', 5)];
    for (let n = 0; n < 3; n += 1) balancer.observe(a, [a, b], { elapsed: 1, failed: true, now: 0 });
    assert.equal(tally(picks(balancer, [a, b], 70).split(' ')).get('a'), 20);
  });
});
