import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AnnouncementRefused } from '../../internal/agent/announcer.ts';
import { RegistryAnnouncer } from '../../internal/agent/registry-announcer.ts';
import { type AppSettings, AgentSettingsSchema } from '../../internal/agent/settings.ts';
import { NAMES } from '../../internal/registry/etcd/names.ts';
import { openEtcdAgent } from '../../internal/registry/etcd/open-agent.ts';
import { openEtcdManager } from '../../internal/registry/etcd/open-manager.ts';
import { openEtcdProxy } from '../../internal/registry/etcd/open-proxy.ts';
import { Store } from '../../internal/registry/etcd/store.ts';
import type { EtcdSettings } from '../../internal/model/registry-settings.ts';
import type { Snapshot } from '../../internal/registry/registry.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { EtcdCluster, etcdMissing } from '../support/etcd.ts';
import { eventually } from '../support/e2e-wait.ts';

const log = createLogger({ name: 'test', level: 'silent' });

function appOf(changes: object = {}): AppSettings {
  const apps = [{ service: 'web', port: 8_080, metadata: { rack: '7' }, ...changes }];
  const [app] = AgentSettingsSchema.parse({ node: 'host-b', managers: ['m'], apps }).apps;
  assert.ok(app);
  return app;
}

function announcerIn(etcd: EtcdSettings, agent = 'host-b', clock: () => number = Date.now): RegistryAnnouncer {
  const registry = openEtcdAgent({ etcd, agent });
  const ownHost = async () => '10.0.0.7';
  return new RegistryAnnouncer({ registry, agent, node: agent, ownHost, place: 'etcd', clock, log });
}

/** As if it had been silent for too long. */
async function silence(etcd: EtcdSettings, instanceId: string): Promise<void> {
  const store = new Store(etcd);
  const { entry } = await store.get(NAMES.announced(instanceId));
  await store.revoke(entry?.lease ?? assert.fail());
  await store.close();
}

describe('an agent that announces into etcd itself', { skip: etcdMissing() }, () => {
  let cluster: EtcdCluster;
  before(async () => {
    cluster = await EtcdCluster.start();
  });
  after(() => cluster.stop());

  it('announces, goes down and up, and leaves with an acknowledged drain, without any manager', async () => {
    const etcd = cluster.settings();
    const announcer = announcerIn(etcd);
    const proxy = openEtcdProxy({ etcd, proxyId: 'lb-1', pid: 1 });
    let now: Snapshot | null = null;
    const stop = new AbortController();
    const report = (inFlight: ReadonlyMap<string, number>) =>
      proxy.report({ appliedRevision: now?.revision ?? null, inFlight });
    proxy.watch({ changed: (picture) => void (now = picture), failed: () => {} }, stop.signal);
    const seen = (lifecycle: string) =>
      eventually(lifecycle, () => now?.instances.find((each) => each.lifecycle === lifecycle));

    const { id } = await announcer.announce(appOf());
    const { host, node, agent } = await seen('ready');
    assert.deepEqual([host, node, agent], ['10.0.0.7', 'host-b', { id: 'host-b', metadata: { rack: '7' } }]);
    await report(new Map());

    assert.deepEqual(await announcer.beat([{ id, isUp: false, cause: 'connect ECONNREFUSED' }]), {
      unknown: [],
      removed: [],
    });
    assert.equal((await seen('failed')).lastError, 'connect ECONNREFUSED');
    await announcer.beat([{ id, isUp: true, cause: '' }]);
    await seen('ready');
    assert.deepEqual((await announcer.beat([{ id: 'gone', isUp: true, cause: '' }])).unknown, ['gone']);

    let isOut = false;
    const leaving = announcer.withdraw([id], new AbortController().signal).finally(() => {
      isOut = true;
    });
    await seen('draining');
    await report(new Map([[id, 1]])); // has heard of it, and waits for a request
    await announcer.beat([{ id, isUp: true, cause: '' }]);
    assert.equal(isOut, false);
    await report(new Map());
    await leaving;
    await eventually('it is gone', () => now?.instances.length === 0);
    stop.abort();
    await announcer.close();
    await proxy.close();
  });

  it('is one among managers: they see, remove and expire what it announces', async () => {
    const etcd = cluster.settings();
    const manager = await openEtcdManager({ etcd, node: 'host-a', patience: 0 });
    const announcer = announcerIn(etcd);
    const { id } = await announcer.announce(appOf());
    const rival = announcerIn(etcd, 'host-c');
    await assert.rejects(rival.announce(appOf({ host: '10.0.0.7' })), (error) => error instanceof AnnouncementRefused);
    await eventually('the manager sees it', async () => (await manager.snapshot()).instances[0]?.id === id);
    for (const lifecycle of ['draining', 'stopped'] as const) await manager.update(id, { lifecycle });
    await eventually(
      'it is told',
      async () => (await announcer.beat([{ id, isUp: true, cause: '' }])).removed[0] === id,
    );
    const types = (await manager.events({ limit: 10 })).map(({ type }) => type);
    assert.deepEqual(types, ['instance.announced']);
    for (const each of [announcer, rival, manager]) await each.close();
  });

  it('takes away what dead agents leave when there is no manager to do that', async () => {
    const etcd = cluster.settings();
    let now = Date.now();
    const living = announcerIn(etcd, 'host-b', () => now);
    const dead = announcerIn(etcd, 'host-c');
    const kept = await living.announce(appOf());
    const lost = await dead.announce(appOf({ host: '10.0.0.8' }));
    await dead.close();
    const manager = await openEtcdManager({ etcd, node: 'host-a', patience: 0 });
    const app = { service: 'web', host: '10.0.0.9', port: 8_080, node: 'host-d', weight: 1, version: null };
    const toldManager = await manager.announcements.announce({ ...app, agent: { id: 'host-d', metadata: {} } }, 8_000);
    for (const { id } of [lost, toldManager]) await silence(etcd, id);
    const present = async () => (await manager.snapshot()).instances.map(({ id }) => id);
    const beat = () => living.beat([{ id: kept.id, isUp: true, cause: '' }]);
    await beat();
    now += 20_000;
    await beat();
    assert.deepEqual(await present(), [kept.id, lost.id, toldManager.id], 'that is the manager’s to do');
    await manager.close();
    const reader = openEtcdAgent({ etcd, agent: 'host-d' });
    await eventually('it is taken away', async () => {
      now += 6_000;
      await beat();
      return (await reader.snapshot()).instances.length === 2;
    });
    const left = (await reader.snapshot()).instances.map(({ id }) => id);
    assert.deepEqual(left, [kept.id, toldManager.id], 'whose agent has nobody to tell that it lives');
    await eventually('it is told', async () => (await reader.events({ limit: 1 }))[0]?.type === 'instance.expired');
    for (const each of [living, reader]) await each.close();
  });
});
