import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ledger } from '../../../internal/simulation/ledger.ts';

const ALL = { from: 0, to: 10_000 };

describe('the figures of a run', () => {
  it('are percentiles by nearest rank over the requests of the span', () => {
    const ledger = new Ledger();
    for (let n = 1; n <= 100; n += 1) ledger.finished(n, n);
    ledger.finished(10_000, 5_000);
    const { requests, p50, p95, p99, mean, failed } = ledger.figures(ALL);
    assert.deepEqual([requests, p50, p95, p99, mean, failed], [100, 50, 95, 99, 50.5, 0]);
  });

  it('count a failed request as one that was never answered', () => {
    const ledger = new Ledger();
    for (let n = 1; n <= 98; n += 1) ledger.finished(n, 10);
    for (let n = 0; n < 2; n += 1) ledger.finished(n, Number.POSITIVE_INFINITY);
    const { p95, p99, mean, failed } = ledger.figures(ALL);
    assert.deepEqual([p95, p99, mean, failed], [10, Number.POSITIVE_INFINITY, 10, 0.02]);
  });

  it('tell the share of each upstream, in all and in each second', () => {
    const ledger = new Ledger();
    for (const at of [0, 100, 200, 300, 1_000, 1_500]) ledger.picked(at === 0 || at >= 1_000 ? 'a' : 'b', at);
    assert.deepEqual(
      [...ledger.shares(ALL)],
      [
        ['a', 0.5],
        ['b', 0.5],
      ],
    );
    assert.deepEqual(ledger.sharesBySecond('a', { from: 0, to: 3_000 }), [0.25, 1, 0]);
  });
});
