import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AdaptiveConcurrencySchema } from '../../../internal/model/overload.ts';

function faults(settings: unknown): string[] {
  const parsed = AdaptiveConcurrencySchema.safeParse(settings);
  return parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

describe('adaptive concurrency', () => {
  it('needs no settings', () => {
    assert.deepEqual(AdaptiveConcurrencySchema.parse({}), { min: 1, max: 1_000, tolerance: 1.25 });
  });

  it('names what makes no sense', () => {
    assert.deepEqual(faults({ min: 20, max: 10 }), ['max: must not be below min']);
    assert.match(faults({ min: 0 }).join(), /^min: expected a whole number from 1/);
    assert.match(faults({ tolerance: 1 }).join(), /^tolerance: /);
    assert.match(faults({ target: '50ms' }).join(), /target/);
  });
});
