import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OutlierDetectionSchema } from '../../../internal/model/outlier-detection.ts';

function faults(settings: unknown): string[] {
  const parsed = OutlierDetectionSchema.safeParse(settings);
  return parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

describe('outlier detection', () => {
  it('can be switched off, as a whole or rule by rule', () => {
    assert.deepEqual(faults({ enabled: false }), []);
    assert.deepEqual(faults({ consecutiveErrors: null, errorRate: null, latencyFactor: null, hangAfter: null }), []);
  });

  it('names what makes no sense', () => {
    assert.deepEqual(faults({ ejectionTime: '2m', maxEjectionTime: '1m' }), [
      'maxEjectionTime: must not be below ejectionTime',
    ]);
    assert.match(faults({ consecutiveErrors: 0 }).join(), /^consecutiveErrors: expected a whole number from 1/);
    assert.match(faults({ interval: 10 }).join(), /^interval: expected a duration/);
    assert.match(faults({ errorRate: 10 }).join(), /^errorRate: /);
    assert.match(faults({ maxEjected: 34 }).join(), /^maxEjected: /);
    assert.match(faults({ halfOpen: true }).join(), /halfOpen/);
  });
});
