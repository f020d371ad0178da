import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProxyTraffic } from '../../../internal/registry/registry.ts';
import { isWorse, TrafficTally } from '../../../internal/server/traffic-tally.ts';

function told(
  counts: Readonly<Record<string, readonly [requests: number, failures: number]>>,
  proxyId = 'lb',
): ProxyTraffic {
  const instances = Object.entries(counts).map(([instanceId, [requests, failures]]) => {
    return { instanceId, incarnation: `${instanceId}#1`, requests, failures, inFlight: 0 };
  });
  return { proxyId, instances, services: [] };
}

const sideOf = (id: string) => (id.startsWith('new') ? 'new' : id.startsWith('old') ? 'old' : undefined);

describe('the tally of a rollout', () => {
  it('counts everything of new instances, and of old ones what comes after the first look', () => {
    const tally = new TrafficTally();
    tally.look([told({ old: [100, 10], new: [3, 1], other: [50, 50] })], sideOf);
    assert.deepEqual(
      [tally.sum('new'), tally.sum('old')],
      [
        { requests: 3, failures: 1 },
        { requests: 0, failures: 0 },
      ],
    );
    tally.look([told({ old: [150, 12], new: [10, 2], other: [70, 70] })], sideOf);
    assert.deepEqual(
      [tally.sum('new'), tally.sum('old')],
      [
        { requests: 10, failures: 2 },
        { requests: 50, failures: 2 },
      ],
    );
  });

  it('adds up load balancers, keeps what those told that are gone, and takes a smaller counter for a new one', () => {
    const tally = new TrafficTally();
    tally.look([told({ new: [3, 1] }), told({ new: [4, 0] }, 'lb-2')], sideOf);
    tally.look([told({ new: [1, 1] })], sideOf);
    assert.deepEqual(tally.sum('new'), { requests: 8, failures: 2 });
    tally.look([], sideOf);
    assert.deepEqual(tally.sum('new'), { requests: 8, failures: 2 });
  });
});

describe('the new release is worse', () => {
  it('when its share of failures is above the old one’s by more than allowed', () => {
    assert.equal(isWorse({ requests: 100, failures: 6 }, { requests: 100, failures: 0 }, 0.05), true);
    assert.equal(isWorse({ requests: 100, failures: 6 }, { requests: 100, failures: 2 }, 0.05), false);
    assert.equal(isWorse({ requests: 100, failures: 100 }, { requests: 0, failures: 0 }, 0.05), true);
  });

  it('not for a handful of failures', () => {
    assert.equal(isWorse({ requests: 4, failures: 4 }, { requests: 100, failures: 0 }, 0.05), false);
  });
});
