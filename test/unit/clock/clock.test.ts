import assert from 'node:assert/strict';
import { getActiveResourcesInfo } from 'node:process';
import { describe, it } from 'node:test';
import { systemClock } from '../../../pkg/clock/clock.ts';

const timers = () => getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('the system clock', () => {
  it('tells the time of day and one that only goes forward', () => {
    const before = Date.now();
    assert.ok(systemClock.now() >= before && systemClock.now() <= Date.now());
    const first = systemClock.monotonic();
    assert.ok(first >= 0 && systemClock.monotonic() >= first);
    assert.ok(first < before, 'not the time of day, which can be set back');
  });

  it('runs a task after its delay', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    systemClock.after(1, resolve, true);
    await promise;
  });

  it('takes a task back', async () => {
    let ran = false;
    systemClock.after(1, () => (ran = true))();
    await new Promise((resolve) => setTimeout(resolve, 5)); // timers fire in the order of their deadlines
    assert.equal(ran, false);
  });

  it('keeps the process alive only for a task that asks for it', () => {
    const before = timers();
    const cancel = systemClock.after(60_000, () => {});
    assert.equal(timers(), before);
    const cancelHolding = systemClock.after(60_000, () => {}, true);
    assert.equal(timers(), before + 1);
    cancel();
    cancelHolding();
    assert.equal(timers(), before);
  });
});
