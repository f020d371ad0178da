import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silenceOf } from '../../../internal/health/silence.ts';

describe('the cause of a failed check', () => {
  it('tells a host that does not answer from an app that does not', () => {
    const causes = ['connect timeout after 500 ms', 'connect ETIMEDOUT', 'connect EHOSTUNREACH', 'connect ENETUNREACH'];
    for (const cause of causes) assert.equal(silenceOf(cause), 'host', cause);
    assert.equal(silenceOf('timeout after 500 ms'), 'app');
  });

  it('is no silence where somebody has answered, and be it that nobody listens', () => {
    const causes = ['connect ECONNREFUSED', 'status 503', 'connection reset before the response', 'connect EMFILE'];
    for (const cause of causes) assert.equal(silenceOf(cause), null, cause);
  });
});
