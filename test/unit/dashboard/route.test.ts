import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOME, hashOf, type Route, routeOf } from '../../../internal/dashboard/route.ts';

describe('the address of a view', () => {
  it('leads back to the view', () => {
    const routes: Route[] = [
      HOME,
      { ...HOME, instance: 'web@[::1]:80' },
      { view: 'service', service: 'a b/c?', instance: null },
      { view: 'service', service: 'web', instance: 'web-9001-x' },
      { view: 'instances', service: null, instance: null },
      { view: 'activity', service: null, instance: null },
    ];
    for (const route of routes) assert.deepEqual(routeOf(hashOf(route)), route);
  });

  it('leads home when it makes no sense', () => {
    for (const hash of ['', '#', '#/nowhere', '#/services/']) assert.deepEqual(routeOf(hash), HOME);
    assert.equal(routeOf('#/services/%zz').service, '%zz');
  });
});
