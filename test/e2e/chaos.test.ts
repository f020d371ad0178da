import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chaos } from '../chaos/chaos.ts';

/** The same schedule with every run. */
const SEED = 4_711;

describe('heimdall under every kind of load, while it is changed and things break', { timeout: 120_000 }, () => {
  it('fails no request but those that nobody could have saved', async (context) => {
    const report = await chaos({ seconds: 20, seed: SEED, breaks: true, tell: (line) => context.diagnostic(line) });
    assert.deepEqual(report.complaints(), []);
    assert.ok(report.visits > 1_000, `${report.visits} visits`);
  });
});
