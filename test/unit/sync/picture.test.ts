import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Instance } from '../../../internal/model/instance.ts';
import { ServiceSchema } from '../../../internal/model/service.ts';
import { newServiceState } from '../../../internal/model/service-state.ts';
import { type Condition, pictureOf } from '../../../internal/sync/picture.ts';
import { instance } from '../../support/instance-row.ts';

const HEALTHY: Condition = { health: 'healthy', unreachable: false };
const UNHEALTHY: Condition = { health: 'unhealthy', unreachable: false };
const DEAD: Condition = { health: 'unhealthy', unreachable: true };
const UNKNOWN: Condition = { health: 'unknown', unreachable: false };

/** By port, the states of instances in these conditions. */
function states(conditions: readonly Condition[], settings: object = {}, rows: readonly Instance[] = []) {
  const instances = [
    ...conditions.map((_, index) => instance(`web-${9_000 + index}`, { port: 9_000 + index })),
    ...rows,
  ];
  const snapshot = { registryId: 'r', revision: 7, services: [], instances };
  const configured = ServiceSchema.parse({ name: 'web', ...settings });
  const { services } = pictureOf(snapshot, [configured], ({ port }) => conditions[port - 9_000] ?? HEALTHY);
  return Object.fromEntries((services[0]?.servers ?? []).map(({ port, state }) => [port, state]));
}

describe('the picture for a front', () => {
  it('has who is ready and checked, and says who drains', () => {
    const rows = [
      instance('a', { port: 9_100, lifecycle: 'draining' }),
      instance('b', { port: 9_101, lifecycle: 'starting' }),
      instance('c', { port: 9_102, lifecycle: 'failed' }),
      instance('d', { port: 9_103, service: 'other' }),
    ];
    assert.deepEqual(states([HEALTHY, UNKNOWN], {}, rows), { 9_000: 'up', 9_100: 'draining' });
  });

  it('has the servers of the configuration, too', () => {
    assert.deepEqual(states([], { servers: ['10.0.0.9:80', '[::1]:81'] }), { 80: 'up', 81: 'up' });
  });

  it('has the unhealthy down as long as enough are healthy', () => {
    assert.deepEqual(states([HEALTHY, UNHEALTHY]), { 9_000: 'up', 9_001: 'down' });
  });

  it('ignores health when too few are healthy, but not that nobody can connect', () => {
    assert.deepEqual(states([HEALTHY, UNHEALTHY, DEAD]), { 9_000: 'up', 9_001: 'up', 9_002: 'down' });
  });

  it('tries all when none is healthy, unless the service may be empty', () => {
    assert.deepEqual(states([UNHEALTHY, DEAD]), { 9_000: 'up', 9_001: 'up' });
    assert.deepEqual(states([UNHEALTHY], { healthCheck: { neverEmpty: false } }), { 9_000: 'down' });
    assert.deepEqual(states([HEALTHY, UNHEALTHY, UNHEALTHY], { healthCheck: { neverEmpty: false } }), {
      9_000: 'up',
      9_001: 'down',
      9_002: 'down',
    });
  });

  it('has nobody up of a service that is paused, and still says who drains', () => {
    const state = { ...newServiceState('web'), pausedSince: 1 };
    const instances = [
      instance('a', { port: 9_000 }),
      instance('b', { port: 9_001, lifecycle: 'draining' }),
      instance('c', { port: 9_002, lifecycle: 'failed' }),
    ];
    const snapshot = { registryId: 'r', revision: 7, services: [state], instances };
    const [web, api] = ['web', 'api'].map((name) => ServiceSchema.parse({ name, servers: ['10.0.0.9:80'] }));
    assert.ok(web && api);
    const { services } = pictureOf(snapshot, [web, api], () => HEALTHY);
    assert.deepEqual(
      services.map(({ isPaused, servers }) => [isPaused, servers.map(({ state }) => state)]),
      [
        [true, ['down', 'down', 'draining']],
        [false, ['up']],
      ],
    );
  });

  it('has the algorithm that was set by hand', () => {
    const overrides = { algorithm: { value: 'least-connections', over: 'round-robin' } } as const;
    const state = { ...newServiceState('web'), overrides };
    const snapshot = { registryId: 'r', revision: 7, services: [state], instances: [] };
    const { services, revision } = pictureOf(snapshot, [ServiceSchema.parse({ name: 'web' })], () => HEALTHY);
    assert.deepEqual([services[0]?.algorithm, revision], ['least-connections', 7]);
  });
});
