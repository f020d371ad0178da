import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  describeOutcome,
  isFailure,
  isFailureStatus,
  type Outcome,
  statusFor,
} from '../../../internal/proxy/outcome.ts';

const OUTCOMES: readonly [outcome: Outcome, status: number | null, failure: boolean, text: string][] = [
  [{ kind: 'completed', status: 200 }, null, false, 'completed'],
  [{ kind: 'completed', status: 404 }, null, false, 'completed'],
  [{ kind: 'completed', status: 500 }, null, true, 'completed'],
  [{ kind: 'connect-failed', cause: 'ECONNREFUSED' }, 502, true, 'connect-failed: ECONNREFUSED'],
  [{ kind: 'reset', cause: 'ECONNRESET' }, 502, true, 'reset: ECONNRESET'],
  [{ kind: 'head-timeout', cause: 'late' }, 504, true, 'head-timeout: late'],
  [{ kind: 'truncated', cause: 'aborted' }, null, true, 'truncated: aborted'],
  [{ kind: 'client-closed' }, null, false, 'client-closed'],
];

describe('the outcome of an attempt', () => {
  it('decides what the client is told, what counts against the upstream, and how the log names it', () => {
    for (const [outcome, status, failure, text] of OUTCOMES) {
      assert.equal(statusFor(outcome, false), status, outcome.kind);
      assert.equal(isFailure(outcome), failure, outcome.kind);
      assert.equal(describeOutcome(outcome), text);
    }
  });

  it('is "nobody to pick" when the connect failed and every instance was known to be down', () => {
    assert.equal(statusFor({ kind: 'connect-failed', cause: 'ECONNREFUSED' }, true), 503);
    assert.equal(statusFor({ kind: 'reset', cause: 'ECONNRESET' }, true), 502);
  });

  it('takes a 5xx for a fault of the upstream, unless it speaks of the request', () => {
    const failures = [200, 304, 404, 429, 500, 501, 502, 503, 504, 505].filter((status) => isFailureStatus(status));
    assert.deepEqual(failures, [500, 502, 503, 504]);
  });
});
