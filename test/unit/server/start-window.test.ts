import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeimdallError, hasCode } from '../../../internal/model/errors.ts';
import type { RegistryWriter } from '../../../internal/registry/registry.ts';
import { settle } from '../../support/manual-clock.ts';
import { isAlive, Site, service } from '../../support/server-fixture.ts';

/** A registry that gives its picture only once it may, at the end of the test at the latest: a start with it is held up. */
function heldUp(registry: RegistryWriter) {
  const { promise: gate, resolve: open, reject: breakDown } = Promise.withResolvers<void>();
  gate.catch(() => {}); // it may break down before anybody asks
  const held: RegistryWriter = new Proxy(registry, {
    get(target, key) {
      if (key === 'own') return () => gate.then(() => target.own());
      const member: unknown = Reflect.get(target, key);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return { held, open, breakDown, [Symbol.dispose]: open };
}

/** Whether something settles without any help from outside. */
async function isWaiting(work: Promise<unknown>): Promise<boolean> {
  const PENDING = Symbol('pending');
  for (let turn = 0; turn < 20; turn += 1) await settle();
  return (await Promise.race([work.catch(() => {}), Promise.resolve(PENDING)])) === PENDING;
}

describe('what is asked of a manager that is still starting', () => {
  it('waits until it knows what an earlier one left, and then finds all of it', async () => {
    await using site = await Site.open();
    await (await site.started([service({ instances: 1 })])).stop({ keep: true });
    const [left] = (await site.registry.snapshot()).instances;
    assert.ok(left);

    using registry = heldUp(site.registry);
    const manager = site.manager([service({ instances: 1 })], { registry: registry.held });
    const starting = manager.start();
    const removing = manager.remove(left.port, { force: false });
    const adding = manager.add({ count: 1, wait: true });
    const listing = manager.list();
    const getting = manager.instances.get(`${left.port}`);
    for (const work of [removing, adding, listing, getting]) assert.ok(await isWaiting(work));
    registry.open();
    await starting;

    assert.equal((await removing).id, left.id);
    assert.equal(isAlive(left.process?.pid), false);
    assert.ok((await listing).some(({ id, pid }) => id === left.id && pid === left.process?.pid));
    assert.equal((await getting).id, left.id);
    const [added] = await adding;
    const { instances } = await site.registry.snapshot();
    assert.deepEqual(
      instances.map(({ id, lifecycle }) => [id, lifecycle]),
      [[added?.id, 'ready']],
    );
    const starts = (await site.eventTypes()).filter((type) => type === 'instance.ready');
    assert.equal(starts.length, 2, 'one of the earlier manager, one added: none is supervised twice');
  });

  it('fails as the start fails', async () => {
    await using site = await Site.open();
    using registry = heldUp(site.registry);
    const manager = site.manager([service()], { registry: registry.held });
    const isGone = (error: unknown) => hasCode(error, 'REGISTRY_UNAVAILABLE');
    const failures = [
      assert.rejects(manager.start(), isGone),
      assert.rejects(manager.add({ count: 1, wait: false }), isGone),
    ];
    registry.breakDown(new HeimdallError('REGISTRY_UNAVAILABLE', 'the registry is gone'));
    await Promise.all(failures);
  });

  it('is refused when the manager is told to stop meanwhile', async () => {
    await using site = await Site.open();
    using registry = heldUp(site.registry);
    const manager = site.manager([service()], { registry: registry.held });
    const starting = manager.start();
    const refused = assert.rejects(manager.add({ count: 1, wait: true }), (error) => hasCode(error, 'SHUTTING_DOWN'));
    const stopping = manager.stop({ keep: false });
    registry.open();
    await Promise.all([refused, starting, stopping]);
    assert.deepEqual((await site.registry.snapshot()).instances, []);
  });
});
