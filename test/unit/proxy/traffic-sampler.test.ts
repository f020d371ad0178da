import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bucketOf } from '../../../internal/model/latency-buckets.ts';
import { ServicePool } from '../../../internal/proxy/service-pool.ts';
import { TrafficSampler } from '../../../internal/proxy/traffic-sampler.ts';
import type { Upstream } from '../../../internal/proxy/upstream.ts';
import { service, upstream } from '../../support/proxy-fakes.ts';

const NO_EVENTS = { connectFailed() {}, drained() {} };

function setUp() {
  const pool = new ServicePool(service(), 'a secret that is long enough', NO_EVENTS, () => 0);
  const sampler = new TrafficSampler(() => [pool]);
  const [a, b] = [upstream('a'), upstream('b')];
  pool.put(a);
  pool.put(b);
  return { pool, sampler, a, b };
}

function serve(of: Upstream, times: number, ms: number, failed = false): void {
  for (let n = 0; n < times; n += 1) {
    of.claim();
    of.took(ms);
    of.unclaim(failed);
  }
}

describe('the traffic sampler', () => {
  it('has nothing to tell where nothing happens', () => {
    const { sampler } = setUp();
    assert.equal(sampler.look(), false);
    assert.equal(sampler.isEmpty, true);
    assert.deepEqual(sampler.sample(), { services: [], instances: [] });
  });

  it('adds up what happens from look to look, of those alone to whom it happened', () => {
    const { sampler, pool, a } = setUp();
    serve(a, 3, 10);
    pool.ended({ status: 200, hasFailed: false, receivedBytes: 0, sentBytes: 0 }, 1);
    assert.equal(sampler.look(), true);
    serve(a, 2, 500, true);
    pool.ended({ status: 502, hasFailed: true, receivedBytes: 0, sentBytes: 0 }, 1);
    assert.equal(sampler.look(), true);
    assert.equal(sampler.look(), false);
    assert.deepEqual(sampler.sample(), {
      services: [{ service: 'web', ended: 2, failed: 1, waiting: 0 }],
      instances: [
        {
          service: 'web',
          instanceId: 'a',
          requests: 5,
          failures: 2,
          inFlight: 0,
          latencies: [bucketOf(10), 3, bucketOf(500), 2],
        },
      ],
    });
  });

  it('begins anew with what happens after the last look', () => {
    const { sampler, a } = setUp();
    serve(a, 3, 10);
    sampler.look();
    sampler.begin();
    assert.equal(sampler.isEmpty, true);
    serve(a, 1, 10);
    sampler.look();
    const [sample] = sampler.sample().instances;
    assert.deepEqual([sample?.requests, sample?.latencies], [1, [bucketOf(10), 1]]);
  });

  it('tells what runs at every look, and once more when it has ended', () => {
    const { sampler, a } = setUp();
    a.claim();
    assert.equal(sampler.look(), true);
    sampler.begin();
    assert.equal(sampler.look(), true);
    assert.deepEqual(sampler.sample().instances, [
      { service: 'web', instanceId: 'a', requests: 0, failures: 0, inFlight: 1, latencies: [] },
    ]);
    sampler.begin();
    a.unclaim(false);
    assert.equal(sampler.look(), true);
    const [sample] = sampler.sample().instances;
    assert.deepEqual([sample?.requests, sample?.inFlight], [1, 0]);
    assert.equal(sampler.look(), false);
  });

  it('keeps what was done by a process that is gone, and adds that of its successor', () => {
    const { sampler, pool, a } = setUp();
    serve(a, 3, 10);
    a.claim();
    sampler.look();
    const successor = upstream('a', { startedAt: 2 });
    pool.put(successor);
    serve(successor, 2, 10);
    sampler.look();
    const [sample] = sampler.sample().instances;
    assert.deepEqual([sample?.requests, sample?.inFlight], [5, 0]);
  });
});
