import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import type { ProbeResult } from '../../../internal/health/probe.ts';
import { waitUntilReady } from '../../../internal/health/readiness.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

const passed: ProbeResult = { passed: true, cause: 'passed (200 in 1 ms)', elapsedMs: 1 };
const failed = (cause: string): ProbeResult => ({ passed: false, cause, elapsedMs: 1 });

function start(probe: (signal: AbortSignal) => Promise<ProbeResult>, clock = new ManualClock()) {
  const controller = new AbortController();
  const waiting = waitUntilReady({ probe, intervalMs: 250, deadlineMs: 1_000, signal: controller.signal, clock });
  const assertClean = () => {
    assert.equal(clock.pending, 0);
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  };
  return { clock, controller, waiting, assertClean };
}

describe('waitUntilReady', () => {
  it('probes at once and resolves with the pass', async () => {
    const { waiting, assertClean } = start(async () => passed);
    assert.deepEqual(await waiting, { ready: true, result: passed });
    assertClean();
  });

  it('probes again after the interval until a probe passes', async () => {
    const times: number[] = [];
    const clock = new ManualClock();
    const { waiting, assertClean } = start(async () => {
      times.push(clock.now());
      return times.length < 3 ? failed('status 503') : passed;
    }, clock);
    await clock.advance(500);
    assert.equal((await waiting).ready, true);
    assert.deepEqual(
      times.map((time) => time - times[0]!),
      [0, 250, 500],
    );
    assertClean();
  });

  it('gives up at the deadline with the cause of the last finished probe', async () => {
    const { clock, waiting, assertClean } = start(async () => failed('status 503'));
    await clock.advance(1_000);
    assert.deepEqual(await waiting, { ready: false, lastCause: 'status 503' });
    assertClean();
  });

  it('ends at the deadline although a probe hangs and ignores its signal', async () => {
    let seen: AbortSignal | undefined;
    const { clock, waiting } = start((signal) => {
      seen = signal;
      return new Promise(() => {});
    });
    await clock.advance(1_000);
    assert.deepEqual(await waiting, { ready: false, lastCause: 'no probe has finished' });
    assert.equal(seen?.aborted, true);
  });

  it('ends as soon as its signal is aborted, in the middle of a pause or before the first probe', async () => {
    const { controller, waiting, assertClean } = start(async () => failed('connect ECONNREFUSED'));
    await settle();
    controller.abort();
    assert.deepEqual(await waiting, { ready: false, lastCause: 'connect ECONNREFUSED' });
    assertClean();

    let probes = 0;
    const probe = async () => {
      probes += 1;
      return passed;
    };
    const clock = new ManualClock();
    const early = await waitUntilReady({ probe, intervalMs: 1, deadlineMs: 1, signal: AbortSignal.abort(), clock });
    assert.equal(early.ready, false);
    assert.equal(probes, 0);
  });

  it('takes a probe that throws as one that failed', async () => {
    let probes = 0;
    const { clock, waiting } = start(async () => {
      probes += 1;
      if (probes === 1) throw new Error('broken probe');
      return passed;
    });
    await clock.advance(250);
    assert.equal((await waiting).ready, true);
    assert.equal(probes, 2);
  });
});
