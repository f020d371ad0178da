import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, Backend } from '../../../internal/simulation/backend.ts';
import { VirtualClock } from '../../../internal/simulation/virtual-clock.ts';

function answer(serviceMs: number): Answer {
  return { serviceMs, tailMs: 0, status: 200, outcome: { kind: 'completed', status: 200 } };
}

/** When each of so many attempts, which all come at once, has its answer. */
function endings(workers: number, count: number): number[] {
  const clock = new VirtualClock();
  const backend = new Backend(clock, workers, () => answer(10));
  const ends: number[] = [];
  for (let n = 0; n < count; n += 1) backend.take(() => ends.push(clock.monotonic()));
  clock.run();
  return ends;
}

describe('a simulated backend', () => {
  it('works on as many requests as it has workers; the others wait in the order in which they came', () => {
    assert.deepEqual(endings(2, 5), [10, 10, 20, 20, 30]);
    assert.deepEqual(endings(1, 3), [10, 20, 30]);
  });

  it('lets nobody wait when there is no limit', () => {
    assert.deepEqual(endings(Number.POSITIVE_INFINITY, 4), [10, 10, 10, 10]);
  });

  it('asks how to deal with a request when a worker takes it up', () => {
    const clock = new VirtualClock();
    const asked: number[] = [];
    const backend = new Backend(clock, 1, (now) => {
      asked.push(now);
      return answer(25);
    });
    backend.take(() => {});
    backend.take(() => {});
    clock.run();
    assert.deepEqual(asked, [0, 25]);
  });
});
