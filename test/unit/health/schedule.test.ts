import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstDelay, nextDelay, sharedInstant } from '../../../internal/health/schedule.ts';

const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);

describe('nextDelay', () => {
  it('is the interval, at most 10 % shorter or longer', () => {
    close(
      nextDelay(1_000, true, () => 0),
      900,
    );
    close(
      nextDelay(1_000, true, () => 0.5),
      1_000,
    );
    close(
      nextDelay(1_000, true, () => 1),
      1_100,
    );
  });

  it('is 250 ms while the state is being decided', () => {
    close(
      nextDelay(1_000, false, () => 0.5),
      250,
    );
    close(
      nextDelay(60_000, false, () => 0.5),
      250,
    );
  });

  it('never slows down an interval that is faster than that', () => {
    close(
      nextDelay(100, false, () => 0.5),
      100,
    );
  });
});

describe('firstDelay', () => {
  it('probes a new instance at once', () => {
    assert.equal(firstDelay(0, 1, 1_000), 0);
  });

  it('puts a few milliseconds between instances that start together', () => {
    assert.deepEqual(
      [0, 1, 2].map((index) => firstDelay(index, 3, 1_000)),
      [0, 5, 10],
    );
  });

  it('starts all of them within one interval, however many they are', () => {
    const delays = Array.from({ length: 2_000 }, (_, index) => firstDelay(index, 2_000, 1_000));
    assert.ok(Math.max(...delays) < 1_000);
    assert.equal(new Set(delays).size, 2_000);
  });
});

describe('sharedInstant', () => {
  it('is the nearest tenth of the pace while instances are few', () => {
    assert.deepEqual(
      [949, 951, 1_000, 1_049].map((at) => sharedInstant(at, 1_000, 3)),
      [900, 1_000, 1_000, 1_000],
    );
    assert.equal(sharedInstant(351, 250, 3), 350);
  });

  it('comes as much more often as keeps the groups small', () => {
    const groups = new Set(Array.from({ length: 1_000 }, (_, at) => sharedInstant(at, 1_000, 1_000)));
    assert.ok(groups.size >= 50, `${groups.size} groups`);
  });
});
