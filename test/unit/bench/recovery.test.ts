import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CountsAt, recoverySeconds, shareOf } from '../../bench/cases/recovery.ts';

/** Every quarter of a second 30 requests to each of three backends, and to the first as many as told. */
function historyOf(first: readonly number[]): readonly CountsAt[] {
  const history: CountsAt[] = [{ atMs: 5_000, counts: [10, 100, 100, 100] }];
  for (const requests of first) {
    const last = history.at(-1)!;
    const counts = last.counts.map((count, index) => count + (index === 0 ? requests : 30));
    history.push({ atMs: last.atMs + 250, counts });
  }
  return history;
}

describe('the recovery of a backend', () => {
  it('is measured from the first moment to the end of the first second with half its fair share', () => {
    const [none, fair] = [Array(8).fill(0), Array(8).fill(30)];
    assert.equal(recoverySeconds(0, historyOf([...none, ...fair])), 2.5);
  });

  it('takes a second at least', () => {
    assert.equal(recoverySeconds(0, historyOf(Array(8).fill(30))), 1);
  });

  it('has not happened without requests', () => {
    assert.equal(recoverySeconds(0, historyOf(Array(40).fill(1))), Number.POSITIVE_INFINITY);
    assert.equal(recoverySeconds(0, []), Number.POSITIVE_INFINITY);
  });
});

describe('a share of the requests', () => {
  it('is that between two moments', () => {
    const [from, to] = historyOf([10]);
    assert.equal(shareOf(0, from!, to!), 0.1);
  });

  it('is nothing when there were no requests', () => {
    const [only] = historyOf([]);
    assert.equal(shareOf(0, only!, only!), 0);
  });
});
