import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { isOver } from '../../internal/model/deployment.ts';
import { hasCode } from '../../internal/model/errors.ts';
import { incarnationOf } from '../../internal/model/incarnation.ts';
import type { Instance } from '../../internal/model/instance.ts';
import type { Service } from '../../internal/model/service.ts';
import type { ProxyRegistry } from '../../internal/registry/registry.ts';
import type { ServerManager } from '../../internal/server/server-manager.ts';
import { APP, isAlive, Site, service, until } from '../support/server-fixture.ts';

const NOW = { by: 'tester', queue: false, wait: false };
const WAIT = { ...NOW, wait: true };
const QUICK = { rollout: { minHealthy: '50ms' } };

/** Versions that differ in what they do. */
const VERSIONS = {
  v1: {},
  v2: { env: { COLOUR: 'green' } },
  broken: { env: { FAIL: 'no such table: users' } },
  mortal: { command: ['node', APP, 'mortal'] },
};

function web(overrides: Readonly<Record<string, unknown>> = {}): Service {
  return service({ instances: 2, versions: VERSIONS, ...QUICK, ...overrides });
}

async function rows(site: Site): Promise<readonly Instance[]> {
  return (await site.registry.snapshot()).instances;
}

async function seen(port: number) {
  const answer: unknown = await (await fetch(`http://127.0.0.1:${port}/`)).json();
  return z.object({ env: z.record(z.string(), z.string()) }).parse(answer);
}

async function messages(manager: ServerManager, id: number): Promise<string[]> {
  return (await manager.services.deployment(id)).steps.map(({ message }) => message);
}

async function over(manager: ServerManager, id: number) {
  return until('the deployment to be over', async () => {
    const { deployment } = await manager.services.deployment(id);
    return isOver(deployment) ? deployment : null;
  });
}

describe('a deployment', () => {
  it('replaces every instance by one of the new version, one at a time, and then new instances run that, too', async () => {
    await using site = await Site.open();
    const manager = await site.started([web()]);
    const before = await rows(site);
    const done = await manager.services.deploy('web', { version: 'v2', env: { EXTRA: '1' } }, WAIT);
    assert.deepEqual([done.state, done.by, done.reason], ['succeeded', 'tester', null]);

    const after = await rows(site);
    assert.equal(after.length, 2);
    assert.deepEqual(
      after.filter(({ id }) => before.some((old) => old.id === id)),
      [],
    );
    const { env } = await seen(after[0]?.port ?? 0);
    assert.deepEqual([env['COLOUR'], env['EXTRA'], env['VERSION']], ['green', '1', 'v2']);
    for (const old of before) assert.equal(isAlive(old.process?.pid), false);

    const [added] = await manager.add({ count: 1, wait: true });
    assert.deepEqual([added?.version, added?.deployment], ['v2', done.id]);
    const told = await messages(manager, done.id);
    assert.equal(told[0], 'from the configured release to v2');
    assert.equal(told.at(-1), 'done');
    const orderOf = (pattern: RegExp) => told.findIndex((message) => pattern.test(message));
    assert.ok(orderOf(/runs well/) < orderOf(/gets no more requests/), told.join('\n'));
    assert.deepEqual(
      (await site.eventTypes()).filter((type) => type.startsWith('deployment.')),
      ['deployment.started', 'deployment.succeeded'],
    );
  });

  it('never has fewer instances ready than wanted', async () => {
    await using site = await Site.open();
    const manager = await site.started([web({ instances: 3 })]);
    const { id } = await manager.services.deploy('web', { version: 'v2' }, NOW);
    let least = Number.POSITIVE_INFINITY;
    await until('the end of it', async () => {
      const all = await rows(site);
      least = Math.min(least, all.filter(({ lifecycle }) => lifecycle === 'ready').length);
      assert.ok(all.length <= 4, `${all.length} at once, with a surge of one`);
      return isOver((await manager.services.deployment(id)).deployment);
    });
    assert.equal(least, 3);
  });

  it('waits until the load balancers have let go of an old instance before that is stopped', async () => {
    await using site = await Site.open();
    const manager = await site.started([web({ instances: 1 })]);
    const [old] = await rows(site);
    assert.ok(old);
    const proxy = site.proxy();
    await proxy.report({ appliedRevision: 0, inFlight: new Map() });
    const { id } = await manager.services.deploy('web', { version: 'v2' }, NOW);
    await until('the old one to drain', async () =>
      (await rows(site)).some(({ lifecycle }) => lifecycle === 'draining'),
    );
    const { revision } = await site.registry.snapshot();
    await proxy.report({ appliedRevision: revision, inFlight: new Map([[old.id, 1]]) });
    assert.equal(isAlive(old.process?.pid), true);
    await proxy.report({ appliedRevision: revision, inFlight: new Map() });
    assert.equal((await over(manager, id)).state, 'succeeded');
    assert.equal(isAlive(old.process?.pid), false);
  });

  it('goes back when the new version does not get up, and has not touched an old instance', async () => {
    await using site = await Site.open();
    const manager = await site.started([web()]);
    const before = await rows(site);
    await assert.rejects(manager.services.deploy('web', { version: 'broken' }, WAIT), (error) => {
      assert.ok(hasCode(error, 'DEPLOYMENT_FAILED'));
      assert.match(error.message, /rolled back/);
      return true;
    });
    assert.deepEqual(await rows(site), before);
    const [latest] = await manager.services.deployments({ limit: 1 });
    const { deployment, steps } = await manager.services.deployment(latest?.id ?? 0);
    assert.equal(deployment.state, 'rolled-back');
    assert.ok(steps.some(({ logTail }) => logTail.includes('no such table: users')));
    const alert = site.alerts.raised.find(({ key }) => key === 'deployment:web');
    assert.match(alert?.cause ?? '', /no such table: users/);
    assert.equal((await manager.services.get('web')).version, null, 'new instances run what ran before');

    await manager.services.deploy('web', { version: 'v2' }, WAIT);
    assert.ok(site.alerts.resolved.includes('deployment:web'));
  });

  it('cannot be given up any more when it has done everything, although nobody could note it yet', async () => {
    await using site = await Site.open();
    const held = Promise.withResolvers<void>();
    let isOnlyToBeNoted = false;
    const registry = new Proxy(site.registry, {
      get(target, key) {
        const member: unknown = Reflect.get(target, key);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          const isEnd = key === 'changeDeployment' && JSON.stringify(args[1]).includes('succeeded');
          isOnlyToBeNoted ||= isEnd;
          if (isEnd) await held.promise;
          return Reflect.apply(member, target, args);
        };
      },
    });
    const manager = await site.started([web({ instances: 1 })], { registry });
    const { id } = await manager.services.deploy('web', { version: 'v2' }, NOW);
    await until('the end', () => isOnlyToBeNoted);
    const answer = await manager.services.rollback('web', undefined, NOW).catch((error: unknown) => error);
    held.resolve();
    assert.ok(hasCode(answer, 'DEPLOYMENT_NOT_FOUND'), 'there is nothing to go back to yet');
    assert.equal((await over(manager, id)).state, 'succeeded');
  });

  it('goes back when an instance of the new version ends meanwhile, and brings old ones up again', async () => {
    await using site = await Site.open();
    const manager = await site.started([web({ rollout: { minHealthy: '400ms' } })]);
    const { id } = await manager.services.deploy('web', { version: 'mortal' }, NOW);
    await until('the first old one to go', async () =>
      (await messages(manager, id)).some((message) => message.includes('is stopped')),
    );
    const fresh = (await rows(site)).find(({ version }) => version === 'mortal');
    await fetch(`http://127.0.0.1:${fresh?.port}/exit?code=7`).catch(() => {});
    const done = await over(manager, id);
    assert.equal(done.state, 'rolled-back');
    assert.match(done.reason ?? '', /code 7/);
    const left = await rows(site);
    assert.deepEqual(
      left.map(({ version, lifecycle }) => [version, lifecycle]),
      [
        [null, 'ready'],
        [null, 'ready'],
      ],
    );
  });

  it('goes back when more requests fail on the new version than on the old one', async () => {
    await using site = await Site.open();
    const manager = await site.started([web({ rollout: { minHealthy: '20s' } })]);
    const proxy = site.proxy();
    await tellsFailures(proxy, [], 0);
    const { id } = await manager.services.deploy('web', { version: 'v2' }, NOW);
    const fresh = await until('the new one', async () =>
      (await rows(site)).find(({ version, lifecycle }) => version === 'v2' && lifecycle === 'ready'),
    );
    await until('it to go back', async () => {
      await tellsFailures(proxy, [fresh], 50);
      return (await manager.services.deployment(id)).deployment.state !== 'running';
    });
    await until('the end', async () => {
      const { revision } = await site.registry.snapshot();
      await proxy.report({ appliedRevision: revision, inFlight: new Map() });
      return isOver((await manager.services.deployment(id)).deployment);
    });
    const { deployment } = await manager.services.deployment(id);
    assert.equal(deployment.state, 'rolled-back');
    assert.match(deployment.reason ?? '', /too many errors: 50 of 100 requests .*50\.0 %.*0\.0 % on the old/);
  });

  it('is refused while another one is under way, and waits for its turn if it may', async () => {
    await using site = await Site.open();
    const manager = await site.started([web({ instances: 1 })]);
    const first = await manager.services.deploy('web', { version: 'v2' }, NOW);
    await assert.rejects(manager.services.restart('web', NOW), (error) => hasCode(error, 'DEPLOYMENT_RUNNING'));
    const second = await manager.services.deploy('web', { version: 'v1' }, { ...WAIT, queue: true });
    assert.equal(second.state, 'succeeded');
    assert.equal((await manager.services.deployment(first.id)).deployment.state, 'succeeded');
    assert.deepEqual(
      (await rows(site)).map(({ version }) => version),
      ['v1'],
    );
  });

  it('runs nothing but what the configuration declares', async () => {
    await using site = await Site.open();
    const manager = await site.started([web({ instances: 0 }), service({ name: 'plain', routes: [{ path: '/p' }] })]);
    for (const request of [{ version: 'v9' }, { command: 'v9' }, { command: 'toString' }, { env: { PATH: '/tmp' } }]) {
      await assert.rejects(manager.services.deploy('web', request, NOW), (error) => hasCode(error, 'INVALID_REQUEST'));
    }
    assert.deepEqual(await manager.services.deployments({ limit: 10 }), []);
    const { state, release } = await manager.services.deploy('plain', { version: 'any name' }, WAIT);
    assert.deepEqual([state, release.variant], ['succeeded', null]);
    await assert.rejects(manager.services.deploy('nobody', {}, NOW), (error) => hasCode(error, 'SERVICE_NOT_FOUND'));
  });

  it('takes a version by the name of its command, and calls it otherwise', async () => {
    await using site = await Site.open();
    const manager = await site.started([web({ instances: 1 })]);
    await manager.services.deploy('web', { version: '2026-11-21', command: 'v2' }, WAIT);
    const [only] = await rows(site);
    assert.deepEqual([only?.version, only?.variant], ['2026-11-21', 'v2']);
    assert.equal((await seen(only?.port ?? 0)).env['COLOUR'], 'green');
  });

  it('follows the number of instances that is wanted meanwhile', async () => {
    await using site = await Site.open();
    const manager = await site.started([web({ instances: 2, rollout: { minHealthy: '300ms' } })]);
    const { id } = await manager.services.deploy('web', { version: 'v2' }, NOW);
    await manager.services.patch('web', { instances: 3 });
    const [added] = await manager.add({ count: 1, wait: true });
    assert.equal(added?.version, 'v2');
    assert.equal((await over(manager, id)).state, 'succeeded');
    assert.deepEqual(
      (await rows(site)).map(({ version }) => version),
      ['v2', 'v2', 'v2', 'v2'],
    );
  });
});

describe('going back to an earlier release', () => {
  it('takes the one before, or the one of any deployment that has succeeded', async () => {
    await using site = await Site.open();
    const manager = await site.started([web({ instances: 1 })]);
    await assert.rejects(manager.services.rollback('web', undefined, NOW), (error) =>
      hasCode(error, 'DEPLOYMENT_NOT_FOUND'),
    );
    const first = await manager.services.deploy('web', { version: 'v1' }, WAIT);
    await manager.services.deploy('web', { version: 'v2' }, WAIT);
    await manager.services.restart('web', WAIT);
    const back = await manager.services.rollback('web', undefined, WAIT);
    assert.deepEqual([back.kind, back.release.version], ['rollback', 'v1']);
    await manager.services.deploy('web', { version: 'v2' }, WAIT);
    assert.equal((await manager.services.rollback('web', first.id, WAIT)).release.version, 'v1');
    assert.deepEqual(
      (await rows(site)).map(({ version }) => version),
      ['v1'],
    );
  });

  it('gives up a deployment that is under way', async () => {
    await using site = await Site.open();
    const manager = await site.started([web({ rollout: { minHealthy: '20s' } })]);
    const before = await rows(site);
    const { id } = await manager.services.deploy('web', { version: 'v2' }, NOW);
    await until('the new one', async () => (await rows(site)).length === 3);
    const same = await manager.services.rollback('web', undefined, WAIT);
    assert.deepEqual([same.id, same.state, same.reason], [id, 'rolled-back', 'given up by tester']);
    assert.deepEqual(
      (await rows(site)).map((row) => row.id),
      before.map((row) => row.id),
    );
  });
});

describe('a deployment whose manager is gone', () => {
  it('goes on with the next one', async () => {
    await using site = await Site.open();
    const web2 = web({ rollout: { minHealthy: '500ms' } });
    const first = await site.started([web2]);
    const { id } = await first.services.deploy('web', { version: 'v2' }, NOW);
    await until('the new one', async () => (await rows(site)).some(({ version }) => version === 'v2'));
    await first.stop({ keep: true });
    assert.equal((await site.registry.deployment(id)).state, 'running');

    const second = await site.started([web2]);
    assert.equal((await over(second, id)).state, 'succeeded');
    assert.deepEqual(
      (await rows(site)).map(({ version }) => version),
      ['v2', 'v2'],
    );
    assert.ok((await messages(second, id)).some((message) => message.includes('the deployment goes on')));
  });

  it('goes back when no instance is left: what is new is not tried first', async () => {
    await using site = await Site.open();
    const web2 = web({ rollout: { minHealthy: '20s' } });
    const first = await site.started([web2]);
    const { id } = await first.services.deploy('web', { version: 'v2' }, NOW);
    await until('the new one', async () => (await rows(site)).some(({ version }) => version === 'v2'));
    await first.stop({ keep: false });
    const second = await site.started([web2]);
    assert.equal((await over(second, id)).state, 'rolled-back');
    await second.settled();
    assert.deepEqual(
      (await rows(site)).map(({ version, lifecycle }) => [version, lifecycle]),
      [
        [null, 'ready'],
        [null, 'ready'],
      ],
    );
  });
});

/** A load balancer that knows these instances, of whose 100 requests so many have failed. */
async function tellsFailures(proxy: ProxyRegistry, instances: readonly Instance[], failures: number): Promise<void> {
  const { revision } = await proxy.snapshot();
  const traffic = instances.map((instance) => {
    const { id: instanceId } = instance;
    return { instanceId, incarnation: incarnationOf(instance), requests: 100, failures, inFlight: 0 };
  });
  await proxy.report({ appliedRevision: revision, inFlight: new Map(), traffic });
}
