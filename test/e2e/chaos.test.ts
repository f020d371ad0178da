import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chaos } from '../chaos/chaos.ts';

/** The same order with every run. */
const SEED = 4_711;
/** Enough for a machine several times slower; else it is over when everything was done. */
const LIMIT_S = 90;
/** Leaves room for the tests that run at the same time. */
const PAUSE_MS = 200;

describe('heimdall under every kind of load, while it is changed and things break', { timeout: 200_000 }, () => {
  it('fails no request but those that nobody could have saved', async (context) => {
    const report = await chaos({
      seconds: LIMIT_S,
      once: true,
      seed: SEED,
      breaks: true,
      pauseMs: PAUSE_MS,
      tell: (line) => context.diagnostic(line),
    });
    context.diagnostic([...report.actions.keys()].join(', '));
    assert.deepEqual(report.complaints(), []);
    assert.ok(report.visits > 200, `${report.visits} visits`);
    assert.ok(report.actions.size > 12, `only this could be done: ${[...report.actions.keys()].join(', ')}`);
  });
});
