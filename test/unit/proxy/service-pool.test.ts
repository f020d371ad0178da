import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServicePool } from '../../../internal/proxy/service-pool.ts';
import { service, upstream } from '../../support/proxy-fakes.ts';

const SECRET = 'a secret that is long enough';

function poolOf(overrides: Readonly<Record<string, unknown>> = {}): ServicePool {
  return new ServicePool(service(overrides), SECRET, { connectFailed() {}, drained() {} }, () => 0);
}

describe('the pool of a service', () => {
  it('balances by the algorithm of the service', () => {
    assert.equal(poolOf({ algorithm: 'least-time' }).balancer.algorithm, 'least-time');
  });

  it('changes the algorithm live and keeps its upstreams', () => {
    const pool = poolOf();
    const a = upstream('a');
    pool.put(a);
    pool.configure(service({ algorithm: 'least-connections' }), SECRET);
    assert.equal(pool.balancer.algorithm, 'least-connections');
    assert.deepEqual([...pool.upstreams()], [a]);
  });

  it('keeps the memory of an algorithm that does not change', () => {
    const pool = poolOf({ algorithm: 'ip-url-hash' });
    const { balancer } = pool;
    pool.configure(service({ algorithm: 'ip-url-hash', routes: [{ path: '/x' }], hash: { key: 'url' } }), SECRET);
    assert.equal(pool.balancer, balancer);
    assert.equal(pool.service.hash.key, 'url');
    pool.configure(service({ algorithm: 'ip-url-hash', hash: { balanceFactor: 1.5 } }), SECRET);
    assert.notEqual(pool.balancer, balancer);
  });

  it('has a cookie only while it is sticky, named after the service or as configured', () => {
    const pool = poolOf();
    const cookieWith = (overrides: Readonly<Record<string, unknown>>) => {
      pool.configure(service(overrides), SECRET);
      return pool.sticky?.name;
    };
    assert.equal(pool.sticky, null);
    assert.equal(cookieWith({ algorithm: 'sticky-round-robin' }), 'heimdall_web');
    assert.equal(cookieWith({ algorithm: 'sticky-round-robin', sticky: { cookie: 'lb' } }), 'lb');
    assert.equal(cookieWith({ algorithm: 'round-robin' }), undefined);
  });

  it('signs with the secret of the service when it has one', () => {
    const sticky = { secret: 'shared among several hosts' };
    const [own, shared] = [
      poolOf({ algorithm: 'sticky-round-robin' }),
      poolOf({ algorithm: 'sticky-round-robin', sticky }),
    ];
    const a = upstream('a');
    assert.notEqual(own.sticky?.issue(a, false), shared.sticky?.issue(a, false));
    const other = new ServicePool(
      service({ algorithm: 'sticky-round-robin', sticky }),
      'other',
      { connectFailed() {}, drained() {} },
      () => 0,
    );
    assert.equal(other.sticky?.issue(a, false), shared.sticky?.issue(a, false));
  });
});
