import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lease } from '../../../../internal/proxy/lease.ts';
import { NextLease } from '../../../../internal/proxy/middleware/next-lease.ts';
import { RequestContext } from '../../../../internal/proxy/request-context.ts';
import { ServicePool } from '../../../../internal/proxy/service-pool.ts';
import { balancedRequest, service, upstream } from '../../../support/proxy-fakes.ts';

const OWNER = { observed() {}, gatewayError() {}, released() {} };

describe('the wait for a lease', () => {
  it('ends when the lease begins, however late a busy thread hears of it', async () => {
    const clock = { now: 100 };
    const now = () => clock.now;
    const pool = new ServicePool(service(), 'secret', { connectFailed() {}, drained() {} }, now);
    const queue = { acquire: () => ({ cancel() {} }), holds: false };
    const next = new NextLease(queue, new RequestContext(balancedRequest(), pool, now), () => {});
    const found = next.get([]);
    clock.now += 30;
    const lease = new Lease(OWNER, upstream('a'), false, now);
    clock.now += 50;
    next.turn(lease);
    assert.equal(await found, lease);
    assert.equal(next.waitedMs, 30);
  });
});
