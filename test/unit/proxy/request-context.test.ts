import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hash32 } from '../../../internal/algorithms/hash.ts';
import { hashKey, RequestContext } from '../../../internal/proxy/request-context.ts';
import { ServicePool } from '../../../internal/proxy/service-pool.ts';
import { balancedRequest, service, upstream } from '../../support/proxy-fakes.ts';

const EVENTS = { connectFailed() {}, drained() {} };

function pool(overrides: Readonly<Record<string, unknown>>): ServicePool {
  return new ServicePool(service(overrides), 'a secret that is long enough', EVENTS, () => 0);
}

describe('the hash key of a request', () => {
  const request = balancedRequest({ 'x-user': 'ann', cookie: 'session=s1; other=2' }, '/a?b');

  it('is what the service asks for', () => {
    const expected = {
      ip: '10.0.0.1',
      url: '/a?b',
      'ip+url': '10.0.0.1 /a?b',
      'header:X-User': 'ann',
      'cookie:session': 's1',
    };
    for (const [key, text] of Object.entries(expected)) assert.equal(hashKey(key, request), text, key);
  });

  it('is the address where the header or cookie is missing or empty', () => {
    const bare = balancedRequest({ 'x-empty': '' });
    for (const key of ['header:X-User', 'header:X-Empty', 'cookie:session']) {
      assert.equal(hashKey(key, bare), '10.0.0.1', key);
    }
  });
});

describe('RequestContext', () => {
  it('hashes the key of the service', () => {
    const context = new RequestContext(balancedRequest({}, '/x'), pool({ hash: { key: 'url' } }), () => 42);
    assert.equal(context.hash(), hash32('/x'));
    assert.equal(context.now(), 42);
  });

  it('finds the upstream of the cookie among those that requests go to, and looks for it once', () => {
    const of = pool({ algorithm: 'sticky-round-robin' });
    const a = upstream('a');
    of.put(a);
    let reads = 0;
    const cookie = of.sticky?.issue(a, false).split(';', 1)[0];
    const asking = (field: string | undefined) => ({
      ...balancedRequest(),
      field: () => {
        reads += 1;
        return field;
      },
    });
    const context = new RequestContext(asking(cookie), of, () => 0);
    assert.deepEqual([context.affinity(), context.affinity(), reads], ['a', 'a', 1]);
    const stranger = new RequestContext(asking('x=1'), of, () => 0);
    assert.deepEqual([stranger.affinity(), stranger.affinity(), reads], [undefined, undefined, 2]);
    a.health = 'unhealthy';
    of.invalidate();
    assert.equal(new RequestContext(asking(cookie), of, () => 0).affinity(), 'a'); // as a last resort
    of.put(upstream('b'));
    assert.equal(new RequestContext(asking(cookie), of, () => 0).affinity(), undefined);
  });

  it('knows no affinity where the service is not sticky', () => {
    assert.equal(new RequestContext(balancedRequest(), pool({}), () => 0).affinity(), undefined);
  });
});
