import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RouteSchema } from '../../../internal/model/service.ts';
import { routeViewOf } from '../../../internal/server/service-views.ts';

describe('a route as the API shows it', () => {
  it('has its limit with the time as it is configured', () => {
    const route = RouteSchema.parse({ path: '/api', rateLimit: { requests: 30, per: '1.5m', burst: 5 } });
    const rateLimit = { requests: 30, per: '90s', burst: 5, key: 'ip' };
    assert.deepEqual(routeViewOf(route), { host: '*', path: '/api', rateLimit });
    assert.deepEqual(routeViewOf(RouteSchema.parse({})), { host: '*', path: '/', rateLimit: null });
  });
});
