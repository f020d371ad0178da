import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  afterFault,
  DEFAULT_RESTART_POLICY as policy,
  type FaultHistory,
  NO_FAULTS,
  restartDelay,
} from '../../../internal/server/restart-policy.ts';

const middle = () => 0.5;

function faultsAt(...times: number[]): FaultHistory {
  return times.reduce((history, at) => afterFault(history, at, policy), NO_FAULTS);
}

describe('the delay before a restart', () => {
  it('doubles from half a second up to thirty seconds', () => {
    let history = NO_FAULTS;
    const delays = Array.from({ length: 8 }, (_, index) => {
      history = afterFault(history, index * 100_000, policy);
      return restartDelay(history, policy, middle);
    });
    assert.deepEqual(delays, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('has a jitter of a quarter both ways', () => {
    assert.equal(
      restartDelay(faultsAt(0), policy, () => 0),
      375,
    );
    assert.ok(restartDelay(faultsAt(0), policy, () => 0.999_999) > 624.9);
  });

  it('is five minutes in a crash loop', () => {
    assert.equal(restartDelay(faultsAt(0, 1, 2, 3, 4), policy, middle), 300_000);
  });
});

describe('a crash loop', () => {
  it('is five faults within two minutes', () => {
    assert.equal(faultsAt(0, 1, 2, 3).looping, false);
    assert.equal(faultsAt(0, 1, 2, 3, 119_999).looping, true);
    assert.equal(faultsAt(0, 1, 2, 3, 120_000).looping, false);
  });

  it('is not over only because the slow tries are far apart', () => {
    const looping = faultsAt(0, 1, 2, 3, 4);
    assert.equal(afterFault(looping, 1_000_000, policy).looping, true);
  });
});
