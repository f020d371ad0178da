import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { incarnationOf } from '../../internal/model/incarnation.ts';
import { Site, service, until } from '../support/server-fixture.ts';

describe('a service that is changed by hand', () => {
  it('has both of two changes that are made at the same time', async () => {
    await using site = await Site.open();
    const { services } = await site.started([service()]);
    await Promise.all([services.patch('web', { algorithm: 'least-time' }), services.patch('web', { weight: 7 })]);
    const { algorithm, weight } = await services.get('web');
    assert.deepEqual([algorithm, weight], ['least-time', 7]);
  });

  it('keeps its weight when an instance is replaced', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 1, replaceUnhealthyAfter: '10s', stopTimeout: '1s' })]);
    await manager.services.patch('web', { weight: 7 });
    const [old] = (await site.registry.snapshot()).instances;
    assert.ok(old);
    const record = { instanceId: old.id, incarnation: incarnationOf(old), cause: 'timeout', proxyId: 'lb-1' };
    await site.proxy().saveHealth([{ ...record, health: 'unhealthy', since: Date.now() - 60_000 }]);
    const fresh = await until('the new one', async () =>
      (await site.registry.snapshot()).instances.find(({ id }) => id !== old.id),
    );
    assert.deepEqual([old.weight, fresh.weight], [7, 7]);
  });

  it('is paused for whoever asked second, too, only when the load balancers hold requests', async () => {
    await using site = await Site.open();
    const { services } = await site.started([service()]);
    const proxy = site.proxy();
    await proxy.report({ appliedRevision: 0, inFlight: new Map() });
    const first = services.pause('web');
    await until('it to be written', async () => (await site.registry.snapshot()).services[0]?.pausedSince);
    let isPaused = false;
    const second = services.pause('web').then((details) => {
      isPaused = true;
      return details.pausedSince;
    });
    await sleep(300);
    assert.equal(isPaused, false);
    await proxy.report({ appliedRevision: (await site.registry.snapshot()).revision, inFlight: new Map() });
    assert.equal((await first).pausedSince, await second);
    assert.equal((await site.eventTypes()).filter((type) => type === 'service.paused').length, 1);
  });
});
