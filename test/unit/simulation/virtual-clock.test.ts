import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomFrom } from '../../../internal/simulation/random.ts';
import { VirtualClock } from '../../../internal/simulation/virtual-clock.ts';

describe('the virtual clock', () => {
  it('works off what falls due in the order of the times, and of the orders where these are equal', () => {
    const clock = new VirtualClock();
    const random = randomFrom(3);
    const ordered = Array.from({ length: 500 }, (_, n) => ({ n, at: Math.floor(random() * 50) }));
    const done: { n: number; at: number }[] = [];
    for (const event of ordered) {
      clock.at(event.at, () => {
        assert.equal(clock.monotonic(), event.at);
        done.push(event);
      });
    }
    clock.run();
    assert.deepEqual(
      done,
      ordered.toSorted((a, b) => a.at - b.at || a.n - b.n),
    );
  });

  it('goes on with what tasks order, and leaves out what was given up', () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    const cancel = clock.after(15, () => times.push(-1));
    clock.after(10, () => {
      times.push(clock.monotonic());
      cancel();
      clock.after(10, () => times.push(clock.monotonic()));
    });
    clock.run();
    assert.deepEqual(times, [10, 20]);
    assert.equal(clock.now() - new VirtualClock().now(), 20);
  });
});
