import assert from 'node:assert/strict';
import { it } from 'node:test';
import { placeOf, proxyIdOf } from '../../../internal/model/proxy-place.ts';

it('the place of a load balancer is that of the one that comes after it, and of no other', () => {
  const [before, after] = [proxyIdOf('box-1-8080', 4_711, 'a1b2c3'), proxyIdOf('box-1-8080', 4_712, '0f0f0f')];
  assert.equal(before, 'box-1-8080-4711-a1b2c3');
  assert.equal(placeOf(before), placeOf(after));
  assert.notEqual(placeOf(before), placeOf(proxyIdOf('box-1-8081', 4_712, '0f0f0f')));
  assert.notEqual(placeOf(before), placeOf(proxyIdOf('box-2-8080', 4_711, 'a1b2c3')));
});
