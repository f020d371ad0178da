import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { incarnationOf } from '../../internal/model/incarnation.ts';
import type { Instance } from '../../internal/model/instance.ts';
import type { DemandRecord, ProxyRegistry } from '../../internal/registry/registry.ts';
import { Site, service, until } from '../support/server-fixture.ts';

const REPORT = { appliedRevision: Number.MAX_SAFE_INTEGER, inFlight: new Map<string, number>() };

async function rows(site: Site): Promise<readonly Instance[]> {
  return (await site.registry.snapshot()).instances;
}

/** A load balancer that tells so many requests in flight on each instance. */
async function tells(proxy: ProxyRegistry, instances: readonly Instance[], inFlight: number): Promise<void> {
  const traffic = instances.map((instance) => {
    const { id: instanceId } = instance;
    return { instanceId, incarnation: incarnationOf(instance), requests: 0, failures: 0, inFlight };
  });
  await proxy.report({ ...REPORT, traffic });
}

async function demands(proxy: ProxyRegistry, demand: Partial<DemandRecord>): Promise<void> {
  await proxy.report({ ...REPORT, demand: [{ service: 'web', waiting: 0, requests: 0, ...demand }] });
}

describe('the number of instances', () => {
  it('follows the load, and says why', async () => {
    await using site = await Site.open();
    const autoscale = {
      min: 1,
      max: 3,
      inFlightPerInstance: 10,
      scaleUpAfter: '1s',
      scaleDownAfter: '2s',
      cooldown: '1s',
    };
    const manager = await site.started([service({ instances: 1, autoscale })]);
    const proxy = site.proxy();
    await until('more instances', async () => {
      const all = await rows(site);
      await tells(proxy, all.slice(0, 1), 28);
      return all.filter(({ lifecycle }) => lifecycle === 'ready').length === 3;
    });
    const grown = (await manager.events({ limit: 100 })).find(({ type }) => type === 'service.scaled');
    assert.match(grown?.message ?? '', /from 1 to 3 instances: 28 requests in flight, 10 for each instance/);
    await until('fewer', async () => {
      const all = await rows(site);
      await tells(proxy, all, 0);
      return all.length === 1;
    });
  });

  it('follows the calendar, and stays at least that', async () => {
    await using site = await Site.open();
    const autoscale = { min: 1, max: 5, schedule: [{ cron: '0 9 * * *', instances: 3 }] };
    const manager = await site.started([service({ instances: 1, autoscale })]);
    await manager.scheduled('web', 3);
    await until('three', async () => (await manager.list({ status: 'running' })).length === 3);
    await manager.services.patch('web', { instances: 2 });
    await until('three again', async () => (await site.desired()) === 3);
    await manager.scheduled('web', 1);
    await until('one', async () => (await rows(site)).length === 1);
  });

  it('is not held up any more by a calendar that was taken out of the configuration', async () => {
    await using site = await Site.open();
    const autoscale = { min: 1, max: 5, schedule: [{ cron: '0 9 * * *', instances: 3 }] };
    const manager = await site.started([service({ instances: 1, autoscale })]);
    await manager.scheduled('web', 3);
    await manager.apply({
      services: [service({ instances: 1, autoscale: { ...autoscale, schedule: [] } })],
      ports: site.ports,
    });
    await manager.services.patch('web', { instances: 2 });
    const before = (await manager.status()).uptimeMs;
    await until('two looks', async () => (await manager.status()).uptimeMs > before + 2_500);
    assert.equal(await site.desired(), 2);
  });
});

describe('a service that may have no instance', () => {
  it('gets one, once, when a request waits for it, and loses it when nobody asks any more', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 0, scaleFromZero: true, idleAfter: '2s' })]);
    const proxy = site.proxy();
    await demands(proxy, { waiting: 2, requests: 2 });
    await until('it to be ready', async () => (await manager.list({ status: 'running' })).length === 1);
    assert.equal(await site.desired(), 1);
    await demands(proxy, { requests: 2 });
    await until('a while without requests', async () => {
      await demands(proxy, { requests: 2 });
      return (await site.desired()) === 0;
    });
    await until('it to be gone', async () => (await rows(site)).length === 0);
    const reasons = (await manager.events({ limit: 100 })).filter(({ type }) => type === 'service.scaled');
    assert.equal(reasons.length, 2);
    assert.match(reasons[0]?.message ?? '', /from 1 to 0 instances: no request for \d/);
    assert.match(reasons[1]?.message ?? '', /from 0 to 1 instances: a request waits for it/);
  });

  it('keeps it while requests come or are under way, and while nobody can tell', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 1, scaleFromZero: true, idleAfter: '1s' })]);
    const start = (await manager.status()).uptimeMs;
    const isPast = async (ms: number) => (await manager.status()).uptimeMs > start + ms;
    await until('a while without load balancers', () => isPast(2_500));
    const proxy = site.proxy();
    let requests = 0;
    await until('a while with requests', async () => {
      await demands(proxy, { requests: (requests += 1) });
      return isPast(5_000);
    });
    await until('a while with one that lasts', async () => {
      await tells(proxy, await rows(site), 1);
      return isPast(7_500);
    });
    await until('a while with an nginx, which counts none', async () => {
      await demands(proxy, { requests: null });
      return isPast(10_000);
    });
    assert.equal(await site.desired(), 1);
  });
});
