import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { HeimdallError } from '../../../internal/model/errors.ts';
import { NODE } from '../../../internal/api/examples.ts';
import { viewOf } from '../../../internal/model/instance.ts';
import type { AlertRecord } from '../../../pkg/alerts/book.ts';
import { samplesOf } from '../../support/exposition.ts';
import { FakeAlertBook } from './fake-alert-book.ts';
import { api, FakeManager, instance, STATUS, type TestApi } from './fake-manager.ts';

async function metrics(options: TestApi): Promise<ReadonlyMap<string, number>> {
  const response = await request(api(options)).get('/metrics').expect(200);
  assert.equal(response.get('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8');
  return samplesOf(response.text);
}

function alert(id: string, service: string): AlertRecord {
  const alert = { key: `down:${id}`, severity: 'critical', title: 'down', service, at: 0 } as const;
  return { id, alert, resolvedAt: null, announced: true, acknowledgement: null };
}

describe('GET /metrics of the manager', () => {
  it('counts what has happened to services', async () => {
    const manager = new FakeManager();
    for (const type of ['instance.exited', 'instance.lost', 'instance.draining', 'deployment.failed'] as const) {
      manager.eventCounts.count('web', type);
    }
    manager.eventCounts.count('gone', 'instance.draining');
    const samples = await metrics({ manager });
    const of = (name: string, labels = '') => samples.get(`heimdall_service_${name}_total{service="web"${labels}}`);
    assert.deepEqual([of('process_exits'), of('drains'), of('failed_starts')], [2, 1, 0]);
    assert.equal(of('deployments', ',result="failed"'), 1);
    assert.equal(of('deployments', ',result="succeeded"'), 0);
    assert.equal([...samples.keys()].join().includes('gone'), false);
  });

  it('tells what instances use, where that is known', async () => {
    const list = async () => [
      viewOf(instance(9000, { restarts: 2 }), 'healthy', { memory: 1_024, cpu: 50 }),
      viewOf(instance(9001), 'healthy', { memory: 2_048, cpu: null }),
    ];
    const samples = await metrics({ manager: new FakeManager({ list }) });
    const of = (name: string, id: string) =>
      samples.get(`heimdall_instance_${name}{service="web",instance_id="${id}"}`);
    assert.deepEqual([of('cpu_usage_cores', 'web-9000'), of('cpu_usage_cores', 'web-9001')], [0.5, undefined]);
    assert.equal(of('resident_memory_bytes', 'web-9001'), 2_048);
    assert.equal(of('restarts_total', 'web-9000'), 2);
  });

  it('counts what agents stand for by itself', async () => {
    const agent = { id: 'far', metadata: {} };
    const list = async () => [
      viewOf(instance(9000), 'healthy'),
      viewOf(instance(9001, { agent }), 'healthy'),
      viewOf(instance(9002, { agent, lifecycle: 'backing-off' }), 'unhealthy'),
    ];
    const samples = await metrics({ manager: new FakeManager({ list }) });
    const of = (state: string) => samples.get(`heimdall_service_announced_instances{service="web",state="${state}"}`);
    assert.deepEqual([of('running'), of('error'), of('draining')], [1, 1, 0]);
    const spawned = samples.get('heimdall_service_instances{service="web",state="error"}');
    assert.equal(spawned, 0);
  });

  it('leaves instances of other nodes to their managers', async () => {
    const list = async () => ['a', 'b'].map((node, at) => viewOf(instance(9000 + at, { node }), 'healthy'));
    const status = async () => ({ ...STATUS, nodes: [{ ...NODE, name: 'a' }] });
    const samples = await metrics({ manager: new FakeManager({ list, status }) });
    const restarts = [...samples.keys()].filter((key) => key.includes('restarts_total'));
    assert.deepEqual(restarts, ['heimdall_instance_restarts_total{service="web",instance_id="web-9000"}']);
  });

  it('tells how far load balancers lag behind, but for those that are gone', async () => {
    const balancer = { pid: 1, startedAt: '2026-01-02T12:00:00.000Z', heartbeatAgeMs: 0, alive: true };
    const loadBalancers = [
      { ...balancer, id: 'a', appliedRevision: 5 },
      { ...balancer, id: 'b', appliedRevision: 1, alive: false },
    ];
    const samples = await metrics({
      manager: new FakeManager({ status: async () => ({ ...STATUS, loadBalancers }) }),
    });
    assert.equal(samples.get('heimdall_registry_revision'), 7);
    assert.equal(samples.get('heimdall_load_balancers'), 1);
    assert.equal(samples.get('heimdall_load_balancer_revision_lag{load_balancer="a"}'), 2);
    assert.equal(samples.has('heimdall_load_balancer_revision_lag{load_balancer="b"}'), false);
  });

  it('tells active alerts from silenced ones', async () => {
    const book = new FakeAlertBook(alert('1', 'web'), alert('2', 'shop'), alert('3', 'shop'));
    await book.addSilence({ match: { service: 'web' }, createdAt: 0, until: Date.now() + 60_000, by: '', comment: '' });
    const samples = await metrics({ book });
    assert.equal(samples.get('heimdall_alerts_active{severity="critical",silenced="false"}'), 2);
    assert.equal(samples.get('heimdall_alerts_active{severity="critical",silenced="true"}'), 1);
    assert.equal(samples.get('heimdall_alerts_active{severity="warning",silenced="false"}'), 0);
  });

  it('still tells that the registry is away', async () => {
    const away = new FakeManager({
      status: () => Promise.reject(new HeimdallError('REGISTRY_UNAVAILABLE', 'it is locked')),
    });
    const samples = await metrics({ manager: away });
    assert.equal(samples.get('heimdall_registry_available'), 0);
    assert.equal(samples.has('heimdall_registry_revision'), false);
    assert.ok(samples.has('process_cpu_seconds_total'));
  });
});
