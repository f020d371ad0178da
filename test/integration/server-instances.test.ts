import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServiceSchema } from '../../internal/model/service.ts';
import { isAlive, Site, service, until } from '../support/server-fixture.ts';

describe('a single instance', () => {
  it('is weighed, and has the weight of its service again when it is told null', async () => {
    await using site = await Site.open();
    const declared = { name: 'remote', servers: ['192.0.2.7:8080'] };
    const manager = await site.started([service({ instances: 2 }), ServiceSchema.parse(declared)]);
    const { instances, services } = manager;
    const [first, second] = (await site.registry.snapshot()).instances;
    assert.equal((await instances.weigh(String(first?.port), 5)).weight, 5);
    assert.equal((await instances.get(first?.id ?? '')).weight, 5);
    assert.equal((await instances.get(second?.id ?? '')).weight, 1);
    await services.patch('web', { weight: 3 });
    await instances.weigh(first?.id ?? '', 9);
    assert.equal((await instances.weigh(first?.id ?? '', null)).weight, 3);
    const told = (await manager.events({ limit: 100 })).find(({ type }) => type === 'instance.changed');
    assert.match(told?.message ?? '', / has weight 3, and had 9$/);
    assert.equal((await instances.get('8080')).id, 'remote@192.0.2.7:8080');
    await assert.rejects(instances.weigh('8080', 2), { code: 'NOT_SPAWNED' });
    await assert.rejects(instances.restart('8080', { wait: true }), { code: 'NOT_SPAWNED' });
    await assert.rejects(instances.weigh('web-1-nobody', 2), { code: 'INSTANCE_NOT_FOUND' });
  });

  it('is restarted: the new one is ready before the old one goes, and runs the same', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 1 })]);
    const { instances } = manager;
    const [old] = await manager.add({ count: 1, weight: 4, env: { COLOUR: 'red' }, wait: true });
    assert.ok(old);
    const before = (await site.registry.snapshot()).instances;
    let fewest = Number.POSITIVE_INFINITY;
    let isOver = false;
    const restart = instances.restart(old.id, { wait: true }).finally(() => {
      isOver = true;
    });
    const again = instances.restart(old.id, { wait: true });
    const refused = assert.rejects(again, { code: 'LIFECYCLE_CONFLICT' }); // it waits for its turn, and is too late then
    await until('the end', async () => {
      const { instances: rows } = await site.registry.snapshot();
      fewest = Math.min(fewest, rows.filter(({ lifecycle }) => lifecycle === 'ready').length);
      return isOver;
    });
    const fresh = await restart;
    await refused;
    assert.equal(fewest, 2);
    assert.equal(isAlive(old.process?.pid), false);
    assert.deepEqual([fresh.status, fresh.weight, await site.desired()], ['running', 4, 2]);
    assert.ok(!before.some(({ id }) => id === fresh.id));
    const answer: unknown = await (await fetch(fresh.url)).json();
    assert.ok(JSON.stringify(answer).includes('"COLOUR":"red"'));
    assert.equal((await site.registry.snapshot()).instances.length, 2);
    assert.ok((await site.eventTypes()).includes('instance.restarted'));
    const next = await instances.restart(fresh.id, { wait: false });
    await instances.weigh(fresh.id, 7);
    await until('the end', async () => {
      const { instances: rows } = await site.registry.snapshot();
      return !rows.some(({ id }) => id === fresh.id);
    });
    assert.equal((await instances.get(next.id)).weight, 7, 'what was set meanwhile holds');
  });

  it('stays as it is when what shall take its place does not get ready, or a deployment takes care of it', async () => {
    await using site = await Site.open();
    const manager = await site.started([service({ instances: 1 })]);
    const [only] = (await site.registry.snapshot()).instances;
    assert.ok(only);
    await manager.apply({ services: [service({ instances: 1, env: { FAIL: 'no database' } })], ports: site.ports });
    const promised = await manager.instances.restart(only.id, { wait: false });
    assert.equal(promised.status, 'starting');
    await until('the failure', async () => (await site.eventTypes()).includes('instance.restart-failed'));
    await assert.rejects(manager.instances.restart(only.id, { wait: true }), { code: 'INSTANCE_EXITED' });
    assert.deepEqual((await site.registry.snapshot()).instances, [only]);
    const deaf = service({ instances: 1, env: { DEAF: '1' } });
    await manager.apply({ services: [deaf], ports: site.ports });
    await manager.services.deploy('web', { version: 'v2' }, { by: 'test', queue: false, wait: false });
    await assert.rejects(manager.instances.restart(only.id, { wait: true }), { code: 'DEPLOYMENT_RUNNING' });
  });
});
