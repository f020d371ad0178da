import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { hasCode } from '../../internal/model/errors.ts';
import type { Instance } from '../../internal/model/instance.ts';
import type { Announcement } from '../../internal/registry/announcements.ts';
import type { ProxyRegistry, RegistryWriter } from '../../internal/registry/registry.ts';
import { eventually } from '../support/e2e-wait.ts';
import type { StoreUnderTest } from './registry.case.ts';

/** The least that a store with leases may give. */
const TTL_MS = 2_000;
const APP: Announcement = {
  service: 'web',
  host: '10.0.0.7',
  port: 8_080,
  node: 'host-b',
  agent: { id: 'agent-b', metadata: { rack: '7' } },
  weight: 2,
  version: 'v1',
};

/** What every registry driver must do about instances that agents announce. */
export function announcementsContract(name: string, createStore: () => Promise<StoreUnderTest>): void {
  describe(`announcements contract: ${name}`, () => {
    let store: StoreUnderTest;
    let manager: RegistryWriter;
    let proxy: ProxyRegistry;
    let now = 1_000_000;
    const clock = () => now;

    beforeEach(async () => {
      store = await createStore();
      manager = await store.openManager(clock);
      proxy = store.openProxy('proxy-a', clock);
    });
    afterEach(async () => {
      await proxy.close();
      await manager.close();
      await store.dispose();
    });

    async function pass(ms: number): Promise<void> {
      now += ms;
      await store.pass(ms);
    }
    const announce = (changes: Partial<Announcement> = {}) =>
      manager.announcements.announce({ ...APP, ...changes }, TTL_MS);
    const picture = async () => (await manager.snapshot()).instances;

    it('shows load balancers an announced instance, ready, with all that its agent tells', async () => {
      const { id, ...instance } = await announce();
      assert.match(id, /^web-8080-/);
      assert.deepEqual(instance, {
        ...APP,
        variant: null,
        deployment: null,
        lifecycle: 'ready',
        process: null,
        env: {},
        startedAt: now,
        restarts: 0,
        lastError: null,
      } satisfies Omit<Instance, 'id'>);
      const seen = await eventually('a load balancer sees it', async () => (await proxy.snapshot()).instances[0]);
      assert.deepEqual(seen, { id, ...instance });
    });

    it('gives it to no manager to look after', async () => {
      await announce();
      assert.deepEqual((await manager.own()).instances, []);
      assert.deepEqual((await manager.own()).services, []);
    });

    it('shows it although its host has no manager, beside instances of one that has', async () => {
      const draft = { service: 'web', host: '127.0.0.1', node: 'a', weight: 1, version: null, variant: null };
      const [spawned] = await manager.reserve([{ ...draft, deployment: null, env: {} }], [9_000], 1);
      await manager.update(spawned?.id ?? '', { lifecycle: 'ready' });
      const { id } = await announce();
      const seen = async () => (await proxy.snapshot()).instances.map((each) => each.id);
      const ids = await eventually('a load balancer sees both', async () => {
        const found = await seen();
        return found.length === 2 ? found : null;
      });
      assert.deepEqual(ids, [spawned?.id, id]);
      assert.deepEqual(
        (await picture()).map((each) => each.id),
        ids,
      );
    });

    it('keeps id and start of one that is announced again, and takes over what is told now', async () => {
      const first = await announce();
      now += 5;
      const agent = { id: 'agent-b', metadata: {} };
      const second = await announce({ weight: 5, version: 'v2', agent });
      assert.deepEqual(second, { ...first, weight: 5, version: 'v2', agent });
      assert.deepEqual(await picture(), [second]);
    });

    it('changes nothing when the same is announced again', async () => {
      await announce();
      const { revision } = await manager.snapshot();
      await announce();
      assert.equal((await manager.snapshot()).revision, revision);
    });

    it('lets one that failed begin anew under its id', async () => {
      const { id } = await announce();
      await manager.update(id, { lifecycle: 'failed', lastError: 'connect ECONNREFUSED' });
      now += 5;
      const again = await announce();
      assert.deepEqual([again.id, again.lifecycle, again.lastError, again.startedAt], [id, 'ready', null, now]);
    });

    it('takes a place away from nobody who is there', async () => {
      const ours = await announce();
      await assert.rejects(announce({ agent: { id: 'agent-c', metadata: {} } }), (error) => {
        return hasCode(error, 'PORT_TAKEN') && error.context['holder'] === ours.id;
      });
      const draft = { service: 'web', host: '10.0.0.7', node: null, weight: 1, version: null, variant: null };
      const [spawned] = await manager.reserve([{ ...draft, deployment: null, env: {} }], [8_080, 8_081], 1);
      assert.equal(spawned?.port, 8_081);
      await assert.rejects(announce({ port: 8_081 }), (error) => hasCode(error, 'PORT_TAKEN'));
      assert.equal((await picture()).length, 2);
    });

    it('makes another instance of one that is announced for another service', async () => {
      const first = await announce();
      const second = await announce({ service: 'api' });
      assert.notEqual(second.id, first.id);
      assert.deepEqual(await picture(), [second]);
    });

    it('does not put back into rotation what is being drained', async () => {
      const { id } = await announce();
      await manager.update(id, { lifecycle: 'draining' });
      await assert.rejects(announce(), (error) => hasCode(error, 'LIFECYCLE_CONFLICT'));
    });

    it('makes another instance of one that was removed, which its agent finds until then', async () => {
      const { id } = await announce();
      await manager.update(id, { lifecycle: 'draining' });
      await manager.update(id, { lifecycle: 'stopped' });
      assert.deepEqual(await manager.announcements.renew('agent-b', [id], TTL_MS), []);
      const again = await announce();
      assert.notEqual(again.id, id);
      assert.deepEqual(await picture(), [again]);
    });

    it('keeps one as long as its agent gives signs of life, without a change of the picture', async () => {
      const { id } = await announce();
      const { revision } = await manager.snapshot();
      for (let beat = 0; beat < 3; beat += 1) {
        await pass(TTL_MS / 2);
        assert.deepEqual(await manager.announcements.renew('agent-b', [id], TTL_MS), []);
        assert.deepEqual(await manager.announcements.expire(), []);
      }
      assert.equal((await manager.snapshot()).revision, revision);
    });

    it('tells an agent what is not there, or is not its own', async () => {
      const { id } = await announce();
      assert.deepEqual(await manager.announcements.renew('agent-b', ['gone', id], TTL_MS), ['gone']);
      assert.deepEqual(await manager.announcements.renew('agent-c', [id], TTL_MS), [id]);
    });

    it('takes away, once, what nobody gives a sign of life of', async () => {
      const silent = await announce();
      const living = await announce({ port: 8_081, agent: { id: 'agent-c', metadata: {} } });
      await pass(TTL_MS / 2);
      await manager.announcements.renew('agent-c', [living.id], 10 * TTL_MS);
      await pass(TTL_MS / 2);
      const expired = await eventually('it expires', async () => {
        const found = await manager.announcements.expire();
        return found.length > 0 ? found : null;
      });
      assert.deepEqual(expired, [silent]);
      assert.deepEqual(await manager.announcements.expire(), []);
      assert.deepEqual(await picture(), [living]);
      assert.deepEqual(await manager.announcements.renew('agent-b', [silent.id], TTL_MS), [silent.id]);
    });

    it('leaves a service its last instances: what is broken may be the way of agents to us', async () => {
      const last = await announce();
      const dead = await announce({ port: 8_081 });
      await manager.update(dead.id, { lifecycle: 'failed', lastError: 'status 503' });
      await pass(2 * TTL_MS);
      const expired = await eventually('what has failed expires', async () => {
        const found = await manager.announcements.expire();
        return found.length > 0 ? found : null;
      });
      assert.deepEqual(
        expired.map(({ id }) => id),
        [dead.id],
      );
      assert.deepEqual(await picture(), [last]);
      assert.deepEqual(await manager.announcements.renew('agent-b', [last.id], TTL_MS), []);
      await pass(2 * TTL_MS);
      await announce({ port: 8_082, agent: { id: 'agent-c', metadata: {} } });
      const replaced = await eventually('it is not needed any more', async () => {
        const found = await manager.announcements.expire();
        return found.length > 0 ? found : null;
      });
      assert.deepEqual(replaced, [last]);
    });

    it('gives the place of an agent that has been silent for too long to another one', async () => {
      const first = await announce();
      await pass(2 * TTL_MS);
      const agent = { id: 'agent-c', metadata: {} };
      const taken = await eventually('the place is free', () => announce({ agent }).catch(() => null));
      assert.deepEqual(taken.agent, agent);
      assert.deepEqual(await manager.announcements.expire(), []);
      assert.deepEqual(await manager.announcements.renew('agent-b', [first.id], TTL_MS), [first.id]);
      assert.deepEqual(await picture(), [taken]);
    });

    it('gives every agent time to be heard again after the end of a manager', async () => {
      const { id } = await announce();
      await manager.close();
      manager = await store.openManager(clock);
      assert.deepEqual(await manager.announcements.expire(), []);
      assert.deepEqual(await manager.announcements.renew('agent-b', [id], TTL_MS), []);
      assert.equal((await picture()).length, 1);
    });
  });
}
