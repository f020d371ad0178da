import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chaos } from '../chaos/chaos.ts';

/** The same schedule with every run. */
const SEED = 4_711;
/** Leaves room for the tests that run at the same time. */
const PAUSE_MS = 50;

describe('heimdall under every kind of load, while it is changed and things break', { timeout: 120_000 }, () => {
  it('fails no request but those that nobody could have saved', async (context) => {
    const report = await chaos({
      seconds: 30,
      seed: SEED,
      breaks: true,
      pauseMs: PAUSE_MS,
      tell: (line) => context.diagnostic(line),
    });
    assert.deepEqual(report.complaints(), []);
    assert.ok(report.visits > 500, `${report.visits} visits`);
  });
});
