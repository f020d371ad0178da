import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Conduct } from '../../../internal/proxy/conduct.ts';
import { SharedState } from '../../../internal/proxy/shared-state.ts';
import { SlotAllocator } from '../../../internal/proxy/slot-allocator.ts';
import { Upstream } from '../../../internal/proxy/upstream.ts';
import { instance } from '../../support/proxy-fakes.ts';

const SIZE = { upstreams: 2, pools: 1, threads: 1 };

/** One upstream as the main thread and as a worker thread see it. */
function seenByTwo() {
  const slots = new SlotAllocator(SharedState.create(SIZE));
  const slot = slots.upstream();
  const own = new Upstream(instance('a'), { state: slots.state, slot });
  const state = SharedState.attach(slots.state.buffer, SIZE, 1);
  return { state: slots.state, conduct: new Conduct(own), upstream: new Upstream(instance('a'), { state, slot }) };
}

it('an upstream that rests is looked at once', () => {
  const { conduct } = seenByTwo();
  assert.equal(conduct.look(), true);
  assert.equal(conduct.look(), false);
  assert.equal(conduct.look(), false);
});

it('an upstream is looked at while it has requests, and once after the last', () => {
  const { conduct, upstream } = seenByTwo();
  conduct.look();
  upstream.claim();
  upstream.sent(0);
  assert.equal(conduct.look(), true);
  assert.equal(conduct.observed.waiting, 1);
  assert.equal(conduct.look(), true);
  upstream.settled(0);
  upstream.answered(5);
  upstream.unclaim(false);
  assert.equal(conduct.look(), true);
  assert.equal(conduct.observed.answers, 1);
  assert.equal(conduct.look(), false);
});

it('a request that came and went between two looks is seen', () => {
  const { conduct, upstream } = seenByTwo();
  conduct.look();
  upstream.claim();
  upstream.answered(5);
  upstream.unclaim(false);
  assert.equal(conduct.look(), true);
  assert.equal(conduct.observed.answers, 1);
});

it('what a thread that crashed has left waits no more', () => {
  const { conduct, upstream, state } = seenByTwo();
  upstream.claim();
  upstream.sent(0);
  conduct.look();
  state.takeOff(1);
  assert.equal(conduct.look(), true);
  assert.equal(conduct.observed.waiting, 0);
  assert.equal(conduct.look(), false);
});
