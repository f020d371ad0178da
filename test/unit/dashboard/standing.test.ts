import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { instanceStanding, isHealthy, serviceStanding } from '../../../internal/dashboard/standing.ts';
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
