import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Site, service } from '../support/server-fixture.ts';
import { sample } from '../support/traffic-sample.ts';

describe('what there is to see live', () => {
  it('is what the registry and the load balancers tell, and stays when the registry is away', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ servers: ['127.0.0.1:1', '127.0.0.1:2'] })]);
    const proxy = site.proxy();
    const now = Date.now();
    await proxy.report({ appliedRevision: 0, inFlight: new Map() });
    const down = { instanceId: 'web@127.0.0.1:1', incarnation: 'web@127.0.0.1:1#0', since: now, proxyId: 'lb-1' };
    await proxy.saveHealth([{ ...down, health: 'unhealthy', cause: 'connect ECONNREFUSED' }]);
    const [told] = [sample({ from: now - 10_000, until: now, requests: 100, failed: 25, inFlight: 3, waiting: 2 })];
    const instances = told.instances.map((each) => ({ ...each, instanceId: 'web@127.0.0.1:2' }));
    await proxy.saveSample({ ...told, instances });

    const state = await manager.live.once();
    assert.deepEqual(
      state.instances.map(({ id, health, healthCause, drain }) => [id, health, healthCause, drain]),
      [
        ['web@127.0.0.1:1', 'unhealthy', 'connect ECONNREFUSED', null],
        ['web@127.0.0.1:2', 'unknown', '', null],
      ],
    );
    const [web] = state.services;
    assert.deepEqual([web?.waiting, web?.traffic.errorRate, web?.traffic.inFlight], [2, 0.25, 3]);
    assert.ok(web !== undefined && web.traffic.rps > 5 && web.traffic.rps <= 10, `${web?.traffic.rps}`);
    assert.deepEqual(state.instances[1]?.traffic, web.traffic);
    assert.deepEqual(
      state.loadBalancers.map(({ id, alive }) => [id, alive]),
      [['lb-1', true]],
    );
    assert.equal(state.events.at(-1)?.type, 'manager.started');

    const path = join(site.dir, 'registry.db');
    await rename(path, `${path}.away`);
    const blind = await manager.live.once();
    assert.deepEqual({ ...blind, at: '' }, { ...state, at: '', revision: null });
    await rename(`${path}.away`, path);
    assert.equal((await manager.live.once()).revision, state.revision);
  });
});
