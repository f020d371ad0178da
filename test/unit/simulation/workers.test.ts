import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Backend } from '../../../internal/simulation/backend.ts';
import type { RecordedAttempt } from '../../../internal/simulation/log-line.ts';
import { exponential, logNormal, randomFrom } from '../../../internal/simulation/random.ts';
import { VirtualClock } from '../../../internal/simulation/virtual-clock.ts';
import { serviceTimes, workersOf } from '../../../internal/simulation/workers.ts';

const OUTCOME = { kind: 'completed', status: 200 } as const;

/** What is recorded of a backend with service times of 10 ms in the median, at so many requests per second. */
function recorded(workers: number, rate: number, seed = 1): RecordedAttempt[] {
  const clock = new VirtualClock();
  const random = randomFrom(seed);
  const attempts: RecordedAttempt[] = [];
  const backend = new Backend(clock, workers, () => {
    return { serviceMs: logNormal(random, 10, 0.5), tailMs: 0, status: 200, outcome: OUTCOME };
  });
  let at = 0;
  for (let n = 0; n < 5_000; n += 1) {
    at += exponential(random, 1_000 / rate);
    clock.at(at, () => {
      const startedAt = clock.monotonic();
      backend.take(() => {
        const headMs = clock.monotonic() - startedAt;
        attempts.push({ upstream: 'a', weight: 1, startedAt, headMs, tailMs: 0, status: 200, outcome: OUTCOME });
      });
    });
  }
  clock.run();
  return attempts.sort((a, b) => a.startedAt - b.startedAt);
}

describe('the number of workers', () => {
  for (const [workers, rate] of [
    [1, 70],
    [2, 140],
    [4, 300],
    [8, 640],
  ] as const) {
    it(`is found to be ${workers} when so many are busy`, () => {
      for (const seed of [1, 2, 3]) assert.equal(workersOf(recorded(workers, rate, seed)), workers, `seed ${seed}`);
    });
  }

  it('has no limit where the load makes no difference', () => {
    assert.equal(workersOf(recorded(8, 100)), Number.POSITIVE_INFINITY);
    assert.equal(workersOf(recorded(Number.POSITIVE_INFINITY, 1_000)), Number.POSITIVE_INFINITY);
    assert.equal(workersOf([]), Number.POSITIVE_INFINITY);
  });

  it('is not mistaken for a slow time, which is a busy one, too', () => {
    const slow = recorded(Number.POSITIVE_INFINITY, 300).map((attempt) =>
      attempt.startedAt < 8_000 ? attempt : { ...attempt, headMs: attempt.headMs * 10 },
    );
    assert.equal(workersOf(slow), Number.POSITIVE_INFINITY);
  });

  it('tells how long each attempt was worked on', () => {
    const attempts = [0, 1, 2].map((startedAt) => ({
      ...recorded(1, 70)[0]!,
      startedAt,
      headMs: 10 * (startedAt + 1) - startedAt,
    }));
    assert.deepEqual(serviceTimes(attempts, 1), [10, 10, 10]);
    assert.deepEqual(serviceTimes(attempts, Number.POSITIVE_INFINITY), [10, 19, 28]);
  });
});
