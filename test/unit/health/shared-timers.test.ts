import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedTimers } from '../../../internal/health/shared-timers.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function setUp() {
  const clock = new ManualClock();
  const ran: string[] = [];
  const timers = new SharedTimers(clock);
  const at = (ms: number, name: string) => timers.at(ms, () => ran.push(`${name} ${clock.monotonic()}`));
  return { clock, ran, timers, at };
}

describe('shared timers', () => {
  it('run what is due at the same instant on one timer, each task once', async () => {
    const { clock, ran, at } = setUp();
    at(50, 'a');
    at(50, 'b');
    at(70, 'c');
    assert.equal(clock.pending, 2);
    await clock.advance(200);
    assert.deepEqual(ran, ['a 50', 'b 50', 'c 70']);
    assert.equal(clock.pending, 0);
  });

  it('leave a task out that was cancelled, and keep no timer for nobody', async () => {
    const { clock, ran, at } = setUp();
    const [cancelA, cancelB] = [at(50, 'a'), at(50, 'b')];
    cancelA();
    assert.equal(clock.pending, 1);
    cancelB();
    assert.equal(clock.pending, 0);
    at(50, 'c');
    cancelA(); // once more, which concerns nobody else
    await clock.advance(50);
    assert.deepEqual(ran, ['c 50']);
  });

  it('honour a task that cancels the next one of its group, and one that comes again at once', async () => {
    const { clock, ran, timers, at } = setUp();
    let cancelB = () => {};
    timers.at(50, () => {
      cancelB();
      at(50, 'again');
    });
    cancelB = at(50, 'b');
    await clock.advance(50);
    assert.deepEqual(ran, ['again 50']);
    assert.equal(clock.pending, 0);
  });

  it('run a task at once whose instant is over', async () => {
    const { clock, ran, at } = setUp();
    await clock.advance(100);
    at(30, 'late');
    await clock.advance(0);
    assert.deepEqual(ran, ['late 100']);
  });
});
