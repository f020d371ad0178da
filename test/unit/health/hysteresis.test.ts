import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fullyUp, isSettled, isUp, markDown, nextHealth, undecided } from '../../../internal/health/hysteresis.ts';

const thresholds = { rise: 2, fall: 3 };

/** `+` is a pass, `-` a failure; the counter after each of them. */
function run(start: number, results: string, bounds = thresholds): number[] {
  let health = start;
  return [...results].map((result) => {
    health = nextHealth(health, result === '+', bounds);
    return health;
  });
}

describe('nextHealth', () => {
  it('takes an up instance down at the third failure in a row', () => {
    assert.deepEqual(run(fullyUp(thresholds), '---'), [3, 2, 0]);
  });

  it('brings a down instance to the very top at the second pass in a row', () => {
    assert.deepEqual(run(0, '++'), [1, 4]);
  });

  it('forgets earlier failures with one pass', () => {
    assert.deepEqual(run(fullyUp(thresholds), '--+--+'), [3, 2, 4, 3, 2, 4]);
  });

  it('forgets earlier passes with one failure', () => {
    assert.deepEqual(run(0, '+-+-'), [1, 0, 1, 0]);
  });

  it('stays within its bounds', () => {
    assert.deepEqual(run(fullyUp(thresholds), '++'), [4, 4]);
    assert.deepEqual(run(0, '--'), [0, 0]);
  });

  it('changes with every result when rise and fall are 1', () => {
    const bounds = { rise: 1, fall: 1 };
    assert.deepEqual(run(0, '+-+', bounds), [1, 0, 1]);
    assert.deepEqual(
      [0, 1].map((health) => isUp(health, bounds)),
      [false, true],
    );
  });

  it('follows the consecutive-results rule for every pair of thresholds', () => {
    for (let rise = 1; rise <= 4; rise++) {
      for (let fall = 1; fall <= 4; fall++) {
        assert.equal(
          run(0, '+'.repeat(rise), { rise, fall }).findIndex((h) => h >= rise),
          rise - 1,
        );
        assert.equal(
          run(rise + fall - 1, '-'.repeat(fall), { rise, fall }).findIndex((h) => h < rise),
          fall - 1,
        );
      }
    }
  });
});

describe('the state of an instance that was never probed', () => {
  it('is up, and safely so, after its first pass', () => {
    assert.deepEqual(run(undecided(thresholds), '+'), [fullyUp(thresholds)]);
  });

  it('is down, with nothing gained, after its first failure', () => {
    assert.deepEqual(run(undecided(thresholds), '-'), [0]);
  });
});

it('marking down takes all of the rise to come back', () => {
  assert.equal(isUp(markDown(), thresholds), false);
  assert.deepEqual(run(markDown(), '++'), [1, 4]);
});

it('is settled only at the bottom and at the top', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((health) => isSettled(health, thresholds)),
    [true, false, false, false, true],
  );
});
