import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Health } from '../../internal/model/health.ts';
import { incarnationOf } from '../../internal/model/incarnation.ts';
import type { Instance } from '../../internal/model/instance.ts';
import { isAlive, Site, service, until } from '../support/server-fixture.ts';

async function rows(site: Site): Promise<readonly Instance[]> {
  return (await site.registry.snapshot()).instances;
}

/** What a load balancer has found. */
async function found(site: Site, instance: Instance | undefined, health: Health, ageMs: number): Promise<void> {
  assert.ok(instance);
  const record = { instanceId: instance.id, incarnation: incarnationOf(instance), health, cause: 'timeout' };
  await site.proxy().saveHealth([{ ...record, since: Date.now() - ageMs, proxyId: 'lb-1' }]);
}

describe('an instance that does no good', () => {
  it('is replaced when it has been unhealthy for long: the new one is ready before it goes', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 2, replaceUnhealthyAfter: '10s', stopTimeout: '1s' })]);
    const [hung, well] = await rows(site);
    process.kill(hung?.process?.pid ?? 0, 'SIGSTOP');
    await found(site, hung, 'unhealthy', 11_000);
    let fewest = Number.POSITIVE_INFINITY;
    await until('it to be gone', async () => {
      const all = await rows(site);
      fewest = Math.min(fewest, all.filter(({ lifecycle }) => lifecycle === 'ready').length);
      return !all.some(({ id }) => id === hung?.id);
    });
    assert.equal(fewest, 2);
    assert.equal(isAlive(hung?.process?.pid), false);
    const left = await manager.list({ status: 'running' });
    assert.equal(left.length, 2);
    assert.ok(left.some(({ id }) => id === well?.id));
    const event = (await manager.events({ limit: 100 })).find(({ type }) => type === 'instance.replaced');
    assert.match(event?.message ?? '', /has been unhealthy for 1\d s: timeout; web-\d+-\w+ takes its place/);
    await until('the alert to be over', () => site.alerts.resolved.includes(`replacing:${hung?.id}`));
    assert.match(site.alerts.raised[0]?.cause ?? '', /listening on/);
  });

  it('stays when it has been unhealthy for a moment only, or is another process by now', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 2, replaceUnhealthyAfter: '10s' })]);
    const [first, second] = await rows(site);
    await found(site, first, 'unhealthy', 5);
    await found(site, second && { ...second, startedAt: 5 }, 'unhealthy', 60_000);
    const before = (await manager.status()).uptimeMs;
    await until('two looks', async () => (await manager.status()).uptimeMs > before + 2_500);
    assert.deepEqual(await rows(site), [first, second]);
  });

  it('stays when its replacement does not get up either', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 1, replaceUnhealthyAfter: '10s' })]);
    const [only] = await rows(site);
    await manager.apply({
      services: [service({ instances: 1, replaceUnhealthyAfter: '10s', env: { FAIL: 'no database' } })],
      ports: site.ports,
    });
    await found(site, only, 'unhealthy', 60_000);
    await until('the alert', () => site.alerts.raised.some(({ key }) => key === `replacing:${only?.id}`));
    await until(
      'the try',
      async () => (await site.eventTypes()).filter((type) => type === 'instance.removed').length === 1,
    );
    assert.deepEqual(await rows(site), [only]);
    await manager.apply({ services: [service({ instances: 1, replaceUnhealthyAfter: null })], ports: site.ports });
    await until('the alert to be over', () => site.alerts.resolved.includes(`replacing:${only?.id}`));
  });

  for (const keep of [true, false]) {
    it(`does not hold up the end of a manager that ${keep ? 'keeps' : 'stops'} its instances`, async () => {
      await using site = await Site.open();
      const patient = { instances: 1, replaceUnhealthyAfter: '10s', readiness: { deadline: '60s' }, stopTimeout: '1s' };
      const manager = await site.started([service(patient)]);
      const [only] = await rows(site);
      await manager.apply({ services: [service({ ...patient, env: { DEAF: '1' } })], ports: site.ports });
      await found(site, only, 'unhealthy', 60_000);
      const fresh = await until('the new one', async () => (await rows(site)).find(({ id }) => id !== only?.id));
      const before = performance.now();
      await manager.stop({ keep });
      assert.ok(performance.now() - before < 30_000, 'it has waited for the new one');
      if (keep) assert.ok(isAlive(only?.process?.pid));
      else assert.deepEqual(await rows(site), []);
      assert.equal(fresh.lifecycle, 'starting');
    });
  }

  it('leaves nobody in its place when it is removed by hand meanwhile', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 1, replaceUnhealthyAfter: '10s', stopTimeout: '1s' })]);
    const [only] = await rows(site);
    await found(site, only, 'unhealthy', 60_000);
    await until('the new one', async () => (await rows(site)).length === 2);
    await manager.remove(only?.port ?? 0, { force: false });
    assert.equal(await site.desired(), 0);
    await until('it to be gone', async () => (await rows(site)).length === 0);
  });

  it('is replaced when its processes use more memory than they may', {
    skip: process.platform !== 'linux',
  }, async () => {
    await using site = await Site.open();
    const limits = { memory: '200mb' };
    const manager = await site.started([service({ instances: 1, limits })]);
    const [fat] = await manager.add({ count: 1, env: { HOG: '200' }, wait: true });
    await until('it to be replaced', async () => (await site.eventTypes()).includes('instance.replaced'));
    const event = (await manager.events({ limit: 100 })).find(({ type }) => type === 'instance.replaced');
    assert.match(event?.message ?? '', new RegExp(`^${fat?.id} uses 2\\d\\d MB of memory, and may use 200 MB`));
    const [thin] = await manager.list({ status: 'running' });
    assert.ok((thin?.memory ?? 0) > 1024 ** 2);
    assert.ok((thin?.cpu ?? -1) >= 0);
  });
});
