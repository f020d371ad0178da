import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProxyRecord } from '../../../internal/registry/registry.ts';
import { ProxyWatch } from '../../../internal/server/proxy-watch.ts';

function proxy(id: string, startedAt: number, heartbeatAt: number): ProxyRecord {
  return { id, pid: 1, startedAt, heartbeatAt, appliedRevision: 1, inFlight: new Map() };
}

function ids({ gone, back }: ReturnType<ProxyWatch['look']>) {
  return { gone: gone.map(({ id }) => id), back };
}

describe('ProxyWatch', () => {
  it('tells once that a load balancer is gone, and once that it is back', () => {
    const watch = new ProxyWatch(0);
    assert.deepEqual(ids(watch.look([proxy('a', 0, 10_000)], 15_000)), { gone: [], back: [] });
    assert.deepEqual(ids(watch.look([proxy('a', 0, 10_000)], 15_001)), { gone: ['a'], back: [] });
    assert.deepEqual(ids(watch.look([proxy('a', 0, 10_000)], 16_000)), { gone: [], back: [] });
    assert.deepEqual(ids(watch.look([proxy('a', 0, 17_000)], 17_000)), { gone: [], back: ['a'] });
  });

  it('says nothing of one that withdraws, and counts a withdrawal as the end of the trouble', () => {
    const watch = new ProxyWatch(0);
    watch.look([proxy('a', 0, 10_000)], 11_000);
    assert.deepEqual(ids(watch.look([], 20_000)), { gone: [], back: [] });
    watch.look([proxy('b', 0, 10_000)], 20_000);
    assert.deepEqual(ids(watch.look([], 21_000)), { gone: [], back: ['b'] });
  });

  it('still tells when another one goes on that was there before', () => {
    const watch = new ProxyWatch(0);
    assert.deepEqual(ids(watch.look([proxy('a', 0, 10_000), proxy('b', 0, 20_000)], 20_000)), {
      gone: ['a'],
      back: [],
    });
  });

  it('is content when one that was started later has taken its place', () => {
    const watch = new ProxyWatch(0);
    const [before, after, other] = ['box-8080-1-aa', 'box-8080-2-bb', 'box-8081-2-cc'];
    const gone = proxy(before, 0, 10_000);
    watch.look([gone], 20_000);
    assert.deepEqual(ids(watch.look([gone, proxy(other, 21_000, 21_000)], 21_000)).back, []);
    assert.deepEqual(ids(watch.look([gone, proxy(after, 21_000, 21_000)], 21_000)).back, [before]);
  });

  it('gives one that was silent before the manager started five seconds to come back', () => {
    const watch = new ProxyWatch(100_000);
    assert.deepEqual(ids(watch.look([proxy('a', 0, 10_000)], 105_000)).gone, []);
    assert.deepEqual(ids(watch.look([proxy('a', 0, 10_000)], 105_001)).gone, ['a']);
  });
});
