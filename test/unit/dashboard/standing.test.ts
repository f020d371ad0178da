import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  balancerStanding,
  instanceStanding,
  isHealthy,
  serviceStanding,
} from '../../../internal/dashboard/standing.ts';
import type { LoadBalancerView } from '../../../internal/model/manager-status.ts';
import { liveService } from '../../support/live-state.ts';

const word = (changes: Parameters<typeof liveService>[1], healthy: number) =>
  serviceStanding(liveService('web', { desired: 3, ...changes }), healthy).word;

describe('the state of a service in one word', () => {
  it('follows how many of its instances are healthy', () => {
    assert.deepEqual(
      [3, 2, 0].map((healthy) => word({}, healthy)),
      ['healthy', 'degraded', 'down'],
    );
  });

  it('tells what is being done about it, unless it is down', () => {
    assert.equal(word({ starting: 1 }, 0), 'starting');
    assert.equal(word({ deploying: 4 }, 2), 'deploying');
    assert.equal(word({ deploying: 4 }, 0), 'down');
  });

  it('tells what a person has asked for', () => {
    assert.equal(word({ pausedSince: '2026-01-01T00:00:00.000Z' }, 3), 'paused');
    assert.equal(word({ desired: 0 }, 0), 'no instances');
    assert.equal(word({ desired: 0, declared: 2 }, 1), 'degraded');
    assert.equal(word({ desired: 0, announced: 2 }, 1), 'degraded');
  });
});

describe('the state of an instance in one mark', () => {
  it('is its health while it runs, else its lifecycle', () => {
    assert.equal(instanceStanding({ status: 'running', health: 'ejected' }).word, 'ejected');
    assert.equal(instanceStanding({ status: 'draining', health: 'healthy' }).word, 'draining');
    assert.equal(isHealthy({ status: 'draining', health: 'healthy' }), false);
  });

  it('differs in shape wherever it differs in meaning', () => {
    const healths = (['healthy', 'unhealthy', 'ejected', 'unknown'] as const).map((health) =>
      instanceStanding({ status: 'running', health }),
    );
    assert.equal(new Set(healths.map(({ shape }) => shape)).size, healths.length);
  });
});

describe('the state of a load balancer', () => {
  const at = '2026-01-02T12:00:00.000Z';
  const balancer = (changes: Partial<LoadBalancerView> = {}): LoadBalancerView => ({
    id: 'box-8080-9-a1b2c3',
    pid: 9,
    startedAt: '2026-01-02T11:00:00.000Z',
    appliedRevision: 7,
    heartbeatAgeMs: 0,
    alive: true,
    ...changes,
  });
  const word = (one: LoadBalancerView, ...others: LoadBalancerView[]) =>
    balancerStanding(one, [one, ...others], { at, revision: 7 }).word;

  it('tells whether all changes are in force there', () => {
    assert.deepEqual(
      [7, 6, null].map((appliedRevision) => word(balancer({ appliedRevision }))),
      ['in service', 'catching up', 'starting'],
    );
    assert.equal(balancerStanding(balancer(), [], { at, revision: null }).word, 'in service');
  });

  it('is replaced when another one was started in its place after its last word, else silent', () => {
    const ended = balancer({ alive: false, heartbeatAgeMs: 600_000 });
    assert.equal(word(ended), 'silent');
    assert.equal(word(ended, balancer({ startedAt: '2026-01-02T11:40:00.000Z' })), 'silent');
    assert.equal(word(ended, balancer({ startedAt: '2026-01-02T11:50:01.000Z' })), 'replaced');
    const elsewhere = { id: 'other-8080-9-a1b2c3', startedAt: '2026-01-02T11:50:01.000Z' };
    assert.equal(word(ended, balancer(elsewhere)), 'silent');
  });
});
