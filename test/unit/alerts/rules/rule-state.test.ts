import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextState, quiet } from '../../../../pkg/alerts/rules/rule-state.ts';

const MINUTE = 60_000;

/** What changes, and when, with a verdict for each minute: `+` broken, `-` kept, `?` unknown. */
function changes(verdicts: string, forMs: number, stepMs = MINUTE): string[] {
  let state = quiet(0);
  return [...verdicts].flatMap((sign, index) => {
    const next = nextState(state, sign === '?' ? null : sign === '+', index * stepMs, forMs);
    const told =
      next.changedAt === null ? [] : [`${next.state.firing ? '!' : 'ok'} ${next.changedAt / stepMs} at ${index}`];
    state = next.state;
    return told;
  });
}

describe('the state of a rule', () => {
  it('fires once it has been broken for long enough, and says since when', () => {
    assert.deepEqual(changes('--+++++', 3 * MINUTE), ['! 2 at 5']);
    assert.deepEqual(changes('++-++-++', 3 * MINUTE), [], 'never that long without a break');
  });

  it('ends once it has been kept for as long, and says since when', () => {
    assert.deepEqual(changes('++++--+----', 3 * MINUTE), ['! 0 at 3', 'ok 7 at 10']);
  });

  it('fires at once without "for", and still needs ten seconds to end', () => {
    assert.deepEqual(changes('-+-+------------', 0, 1_000), ['! 1 at 1', 'ok 4 at 14']);
  });

  it('begins nothing and ends nothing while nothing can be said', () => {
    assert.deepEqual(changes('++??++', 3 * MINUTE), [], 'what was before says nothing about meanwhile');
    assert.deepEqual(changes('++++??-??---', 3 * MINUTE), ['! 0 at 3']);
    assert.deepEqual(changes('++++??-??----', 3 * MINUTE), ['! 0 at 3', 'ok 9 at 12']);
  });

  it('ends when nothing could be said for ten minutes', () => {
    assert.deepEqual(changes(`++++${'?'.repeat(9)}`, 3 * MINUTE), ['! 0 at 3']);
    assert.deepEqual(changes(`++++${'?'.repeat(10)}`, 3 * MINUTE), ['! 0 at 3', 'ok 3 at 13']);
  });
});
