import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, it } from 'node:test';
import { ExitWatch } from '../../../internal/server/exit-watch.ts';
import { startTimeOf } from '../../../internal/server/process-identity.ts';
import type { Exit } from '../../../internal/server/running-process.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function sleeper() {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  const pid = child.pid ?? assert.fail('it has no pid');
  return { child, pid, startTime: (await startTimeOf(pid)) ?? assert.fail('it is gone') };
}

function setUp() {
  const clock = new ManualClock();
  const watch = new ExitWatch(clock);
  const told: Exit[] = [];
  return { clock, watch, told, tell: (exit: Exit) => told.push(exit) };
}

it('the end of a process that is no child is told once, with the next look', async () => {
  const { clock, watch, told, tell } = setUp();
  const [first, second] = [await sleeper(), await sleeper()];
  watch.watch(first.pid, first.startTime, tell);
  watch.watch(second.pid, second.startTime, () => assert.fail('it runs'));
  await clock.advance(2_000);
  assert.deepEqual(told, []);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  await clock.advance(100);
  assert.deepEqual(told, [{ code: null, signal: null, at: clock.now() }]);
  await clock.advance(2_000);
  assert.equal(told.length, 1);
});

it('another process under the same pid is not taken for it', async () => {
  const { clock, watch, told, tell } = setUp();
  const { pid } = await sleeper();
  watch.watch(pid, 'long ago', tell);
  await clock.advance(3_100);
  assert.equal(told.length, 1);
  assert.equal(clock.pending, 0);
});

it('that nobody can tell, for want of descriptors, is no end of a process', async () => {
  const clock = new ManualClock();
  const watch = new ExitWatch(clock, () => Promise.reject(new Error('EMFILE: too many open files')));
  const { pid, startTime } = await sleeper();
  const letGo = watch.watch(pid, startTime, () => assert.fail('it runs'));
  await clock.advance(6_200);
  letGo();
});

it('whoever lets a process go hears nothing more of it, and no timer remains', async () => {
  const { clock, watch, told, tell } = setUp();
  const { child, pid, startTime } = await sleeper();
  const letGo = watch.watch(pid, startTime, tell);
  assert.equal(clock.pending, 1);
  letGo();
  assert.equal(clock.pending, 0);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await clock.advance(2_000);
  assert.deepEqual(told, []);
});
