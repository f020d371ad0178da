import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RateLimitSchema } from '../../../internal/model/rate-limit.ts';

function faults(limit: unknown): string {
  const issues = RateLimitSchema.safeParse(limit).error?.issues ?? [];
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join();
}

describe('a rate limit', () => {
  it('may be used up at once, by each address, unless it says otherwise', () => {
    const limit = { requests: 100, per: '1m' };
    assert.deepEqual(RateLimitSchema.parse(limit), { requests: 100, per: 60_000, burst: 100, key: 'ip' });
    const other = { burst: 5, key: 'header:X-Api-Key' };
    assert.deepEqual(RateLimitSchema.parse({ ...limit, ...other }), { requests: 100, per: 60_000, ...other });
  });

  it('names what makes no sense', () => {
    assert.match(faults({ per: '1s' }), /^requests: /);
    assert.match(faults({ requests: 10 }), /^per: expected a duration/);
    assert.match(faults({ requests: 0, per: '1s' }), /^requests: expected a whole number from 1/);
    assert.match(faults({ requests: 1, per: '1s', burst: 0 }), /^burst: expected a whole number from 1/);
    for (const key of ['cookie:id', 'url', 'header:', 'header:a b', 'IP']) {
      assert.equal(faults({ requests: 1, per: '1s', key }), 'key: expected ip or header:NAME', key);
    }
  });

  it('is for whole seconds, which is all that the fields for clients can tell', () => {
    for (const per of ['500ms', '1.5s'])
      assert.match(faults({ requests: 1, per }), /^per: expected whole seconds/, per);
    assert.equal(faults({ requests: 1, per: '1.5m' }), '');
  });
});
