import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { authority } from '../../../internal/model/address.ts';
import { PortSchema, WeightSchema } from '../../../internal/model/units.ts';

describe('an address', () => {
  it('is host and port, with brackets around IPv6', () => {
    assert.equal(authority('127.0.0.1', 80), '127.0.0.1:80');
    assert.equal(authority('app.example', 8080), 'app.example:8080');
    assert.equal(authority('::1', 80), '[::1]:80');
  });

  it('has a port that TCP knows', () => {
    assert.deepEqual([PortSchema.parse(1), PortSchema.parse(65_535)], [1, 65_535]);
    for (const port of [0, -1, 65_536, 80.5, '80']) {
      assert.equal(PortSchema.safeParse(port).error?.issues[0]?.message, 'expected a whole number from 1 to 65535');
    }
  });
});

it('a weight is never zero', () => {
  assert.deepEqual([WeightSchema.parse(1), WeightSchema.parse(1_000)], [1, 1_000]);
  for (const weight of [0, 1_001, 0.5]) {
    assert.equal(WeightSchema.safeParse(weight).error?.issues[0]?.message, 'expected a whole number from 1 to 1000');
  }
});
