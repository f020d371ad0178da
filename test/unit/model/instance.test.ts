import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { incarnationOf } from '../../../internal/model/incarnation.ts';
import { declaredInstances, type Instance, InstanceSchema, viewOf } from '../../../internal/model/instance.ts';
import { ServiceSchema } from '../../../internal/model/service.ts';

const INSTANCE: Instance = InstanceSchema.parse({
  id: 'web-9001-ab12',
  service: 'web',
  host: '127.0.0.1',
  port: 9001,
  weight: 3,
  version: 'v2',
  variant: null,
  deployment: null,
  node: 'box-1',
  agent: null,
  lifecycle: 'ready',
  process: { pid: 4711, startTime: '123', bootId: 'boot', token: 'a-secret-token' },
  env: { PASSWORD: 'a-secret-value' },
  startedAt: Date.UTC(2026, 0, 2, 12),
  restarts: 2,
  lastError: null,
});

describe('an instance as the API shows it', () => {
  it('tells where it is, how it does and since when', () => {
    assert.deepEqual(viewOf(INSTANCE, 'healthy'), {
      id: 'web-9001-ab12',
      service: 'web',
      host: '127.0.0.1',
      port: 9001,
      node: 'box-1',
      url: 'http://127.0.0.1:9001',
      pid: 4711,
      status: 'running',
      health: 'healthy',
      weight: 3,
      version: 'v2',
      startedAt: '2026-01-02T12:00:00.000Z',
      restarts: 2,
    });
  });

  // Whoever may list the instances must not learn what proves a process's identity,
  // nor the variables it was given: those are where people put passwords.
  it('shows neither the token of its process nor its variables', () => {
    const shown = JSON.stringify(viewOf({ ...INSTANCE, lastError: 'exited' }, 'unknown'));
    assert.doesNotMatch(shown, /secret|PASSWORD|boot/);
  });

  it('has neither pid nor start while no process runs, and says why if it knows', () => {
    const view = viewOf(
      { ...INSTANCE, process: null, startedAt: null, lifecycle: 'backing-off', lastError: 'exited with code 1' },
      'unhealthy',
    );
    assert.deepEqual(
      [view.pid, view.startedAt, view.status, view.health, view.lastError],
      [null, null, 'error', 'unhealthy', 'exited with code 1'],
    );
  });

  it('has a URL with brackets around IPv6', () => {
    assert.equal(viewOf({ ...INSTANCE, host: '::1' }, 'unknown').url, 'http://[::1]:9001');
  });
});

describe('an incarnation', () => {
  it('is another with every start and for every row, and the same otherwise', () => {
    const incarnation = incarnationOf(INSTANCE);
    assert.equal(incarnationOf({ ...INSTANCE, lifecycle: 'draining', weight: 1, restarts: 3 }), incarnation);
    assert.notEqual(incarnationOf({ ...INSTANCE, startedAt: 5 }), incarnation);
    assert.notEqual(incarnationOf({ ...INSTANCE, startedAt: null }), incarnation);
    assert.notEqual(incarnationOf({ ...INSTANCE, id: 'web-9001-cd34' }), incarnation);
  });
});

describe('the servers of a service', () => {
  it('are instances that are always ready and never spawned', () => {
    const service = ServiceSchema.parse({
      name: 'api',
      servers: ['10.0.0.7:8080', { address: '[fd00::1]:80', weight: 2 }],
    });
    const instances = declaredInstances(service);
    assert.deepEqual(
      instances.map(({ id, host, port, weight }) => ({ id, host, port, weight })),
      [
        { id: 'api@10.0.0.7:8080', host: '10.0.0.7', port: 8080, weight: 1 },
        { id: 'api@[fd00::1]:80', host: 'fd00::1', port: 80, weight: 2 },
      ],
    );
    for (const instance of instances) {
      assert.deepEqual([instance.service, instance.lifecycle, instance.process], ['api', 'ready', null]);
      assert.deepEqual(InstanceSchema.parse(instance), instance);
    }
  });
});
