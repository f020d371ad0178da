import assert from 'node:assert/strict';
import { getActiveResourcesInfo } from 'node:process';
import { it } from 'node:test';
import { systemClock } from '../../../internal/health/clock.ts';

const timers = () => getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

it('runs a task after its delay', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const guard = setTimeout(() => {}, 10_000); // the clock's own timers do not keep the process alive
  systemClock.after(1, resolve);
  await promise;
  clearTimeout(guard);
});

it('takes a task back', async () => {
  let ran = false;
  systemClock.after(1, () => (ran = true))();
  await new Promise((resolve) => setTimeout(resolve, 5)); // timers fire in the order of their deadlines
  assert.equal(ran, false);
});

it('does not keep the process alive', () => {
  const before = timers();
  const cancel = systemClock.after(60_000, () => {});
  assert.equal(timers(), before);
  cancel();
});
