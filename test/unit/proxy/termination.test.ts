import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outcome } from '../../../internal/proxy/outcome.ts';
import type { Refusal } from '../../../internal/proxy/pool-parts.ts';
import { type Termination, terminationOf } from '../../../internal/proxy/termination.ts';

interface End {
  readonly status: number;
  readonly outcome?: Outcome;
  /** Whether there was a response head. */
  readonly head?: boolean;
  readonly refusal?: Refusal;
  readonly queueMs?: number;
}

const FAILED: Outcome = { kind: 'connect-failed', cause: 'ECONNREFUSED' };

function ended({ status, outcome, head = false, refusal, queueMs = 0 }: End): Termination {
  const last = outcome && { outcome, headMs: head ? 1 : null };
  return terminationOf({ status, last, refusal: refusal ?? null, queueMs });
}

describe('what ended a request', () => {
  const cases: readonly (readonly [Termination, End])[] = [
    ['completed', { status: 500, outcome: { kind: 'completed', status: 500 }, head: true }],
    ['completed', { status: 499, outcome: { kind: 'completed', status: 499 }, head: true }],
    ['switched', { status: 101, outcome: { kind: 'completed', status: 101 }, head: true }],
    ['client-left', { status: 499 }],
    ['client-left', { status: 499, outcome: { kind: 'client-closed' } }],
    ['client-left', { status: 404, outcome: { kind: 'client-closed' }, head: true }],
    ['refused', { status: 413 }],
    ['refused', { status: 408, outcome: { kind: 'client-closed' } }],
    ['refused', { status: 413, outcome: FAILED }],
    ['no-upstream', { status: 503, refusal: 'nobody' }],
    ['upstream-connect', { status: 502, outcome: FAILED, refusal: 'nobody' }],
    ['queue-full', { status: 503, refusal: 'busy' }],
    ['queue-timeout', { status: 503, refusal: 'busy', queueMs: 20 }],
    ['queue-full', { status: 503, refusal: 'busy', outcome: FAILED }],
    ['shed', { status: 503, refusal: 'shed' }],
    ['held', { status: 503, refusal: 'held', queueMs: 20 }],
    ['upstream-reset', { status: 502, outcome: { kind: 'reset', cause: 'ECONNRESET' } }],
    ['upstream-timeout', { status: 504, outcome: { kind: 'head-timeout', cause: 'no answer' } }],
    ['upstream-truncated', { status: 200, outcome: { kind: 'truncated', cause: 'closed' }, head: true }],
  ];
  for (const [termination, end] of cases) {
    it(`is told as ${termination}: ${JSON.stringify(end)}`, () => assert.equal(ended(end), termination));
  }
});
