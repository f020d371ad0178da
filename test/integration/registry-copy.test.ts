import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { hasCode } from '../../internal/model/errors.ts';
import { prepareMove } from '../../cmd/server-manager/registry-move.ts';
import type { EtcdSettings, RegistrySettings } from '../../internal/model/registry-settings.ts';
import { RegistryCopy } from '../../internal/registry/copy.ts';
import { NAMES } from '../../internal/registry/etcd/names.ts';
import { openEtcdManager } from '../../internal/registry/etcd/open-manager.ts';
import { openEtcdProxy } from '../../internal/registry/etcd/open-proxy.ts';
import { processPlace } from '../../internal/registry/etcd/process-place.ts';
import { Store } from '../../internal/registry/etcd/store.ts';
import type { ProxyRegistry, RegistryWriter } from '../../internal/registry/registry.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import type { Alert } from '../../pkg/alerts/alert.ts';
import type { Delivery, Outage } from '../../pkg/alerts/store.ts';
import { EtcdCluster, etcdMissing } from '../support/etcd.ts';
import { DRAFT } from '../support/instance-draft.ts';
import { sample } from '../support/traffic-sample.ts';

const PORTS = Array.from({ length: 400 }, (_, index) => 9_000 + index);
const NOW = Date.now();
const IDENTITY = { pid: 4_711, startTime: '123', bootId: 'boot', token: 'token' };
const NOBODY = { outages: [], released: [], made: [], settled: [] };
const AGENT = { id: 'agent-1', metadata: { rack: '7' } };
const CLAIM = { owner: 'ann', key: 'k1', fingerprint: 'POST /servers/add' };
const ANSWER = { status: 201, fields: { 'content-type': 'application/json' }, body: '{"id":"web-9000"}' };
const UNANSWERED = { owner: 'ann', key: 'k2', fingerprint: 'DELETE /servers/remove' };
const WEBHOOK = { url: 'https://hooks.example.org/x', format: 'slack' };

interface Sides {
  readonly manager: RegistryWriter;
  readonly proxy: ProxyRegistry;
}

function outage(id: string, changes: Partial<Outage> = {}): Outage {
  const alert: Alert = { key: `key-${id}`, severity: 'warning', title: id, service: 'web', at: NOW - 60_000 };
  return { id, alert, resolvedAt: null, told: true, announced: [NOW - 50_000], occurrences: 2, open: true, ...changes };
}

function delivery(id: string): Delivery {
  const entries = [{ alert: outage(id).alert, state: 'firing' as const, resolvedAt: null, occurrences: 1 }];
  return { channel: 'ops', notification: { id, at: NOW - 1_000, level: 'warning', subject: id, text: id, entries } };
}

/** Something of everything that a registry keeps, as its users write it. */
async function fill({ manager, proxy }: Sides): Promise<void> {
  await manager.changeService('web', { configured: 2, overrides: { weight: 3 }, pausedSince: NOW - 5_000 });
  await manager.changeService('api', { desired: 1, configured: 1, scheduled: 1 });
  const [first] = await manager.reserve([DRAFT, { ...DRAFT, env: { A: 'b' }, host: '10.0.0.9' }], PORTS, 2);
  const id = first?.id ?? '';
  const release = { version: '2.0', variant: null, env: { MODE: 'x' }, deployment: null };
  const draft = { service: 'web', kind: 'deploy', release, by: 'ann', queue: false } as const;
  const { id: deployment } = await manager.createDeployment(draft);
  const over = { state: 'succeeded', startedAt: NOW - 9_000, finishedAt: NOW - 8_000 } as const;
  await manager.changeDeployment(deployment, over, { release: { ...release, deployment } });
  for (const message of ['begun', 'ready', 'done']) {
    await manager.recordStep({ deployment, at: NOW - 8_500, message, instanceId: id, logTail: ['line'] });
  }
  await manager.update(id, { lifecycle: 'ready', process: IDENTITY, startedAt: NOW - 7_000, restarts: 1, weight: 5 });
  const place = { service: 'web', host: '10.0.0.7', port: 8_080, weight: 2, version: '1', node: 'far' };
  await manager.announcements.announce({ ...place, agent: AGENT }, 8_000);
  for (let count = 0; count < 230; count += 1) {
    const at = NOW - 100_000 + Math.floor(count / 2);
    await manager.recordEvent({
      at,
      type: 'audit',
      service: 'web',
      instanceId: id,
      message: `${count}`,
      data: { count },
    });
  }
  await manager.alerts.save({ ...NOBODY, outages: [outage('of-manager')], made: [delivery('m1')] });
  const resolved = outage('of-proxy-over', { resolvedAt: NOW - 100, told: false, open: false });
  await proxy.alerts.save({ ...NOBODY, outages: [outage('of-proxy'), resolved], made: [delivery('p1')] });
  await manager.alertBook.acknowledge('of-proxy', { at: NOW, by: 'ann', comment: 'known' });
  const silence = { match: { service: 'web' }, createdAt: NOW, until: NOW + 3_600_000, by: 'ann', comment: '' };
  const gone = await manager.alertBook.addSilence(silence);
  await manager.alertBook.addSilence(silence);
  await manager.alertBook.removeSilence(gone.id);
  const webhook = (await import('../../pkg/alerts/schema.ts')).WebhookChannelSchema.parse(WEBHOOK);
  await manager.alertBook.putChannel({ name: 'ops', spec: WEBHOOK, webhook, at: NOW, by: 'ann' });
  await manager.requestKeys.claim(CLAIM);
  await manager.requestKeys.settle(CLAIM, ANSWER);
  await manager.requestKeys.claim(UNANSWERED);
  const found = { instanceId: id, incarnation: 'one' };
  await proxy.saveHealth([
    { ...found, health: 'healthy', cause: 'passed', since: NOW - 6_000, proxyId: proxy.proxyId },
  ]);
  await proxy.saveLatencies([{ ...found, cost: 12.5, at: NOW - 1_000 }]);
  await proxy.saveEjections([{ ...found, cause: 'errors', since: NOW - 9_000, until: NOW + 9_000, times: 2 }], []);
  await proxy.saveSample(sample({ from: NOW - 15_000, until: NOW, requests: 7, failed: 1 }));
}

/** All that users of a registry see; what each driver numbers in its own way is left out. */
async function views({ manager, proxy }: Sides) {
  const { services, instances } = await manager.snapshot();
  const deployments = await manager.deployments({ limit: 100 });
  const steps = await Promise.all(deployments.map(({ id }) => manager.deploymentSteps(id, 0)));
  const withoutId = <T extends { readonly id: number }>(row: T) => ({ ...row, id: 0 });
  return {
    services,
    instances: instances.map(({ node, ...rest }) => ({ ...rest, node: rest.agent === null ? 'mine' : node })),
    own: (await manager.own()).instances.map(({ id }) => id),
    deployments: deployments.map((each) => ({ ...each, node: 'a', nodes: ['a'] })), // that of the only one
    steps: steps.flat().map(withoutId),
    events: (await manager.events({ limit: 1_000, type: 'audit' })).map(withoutId),
    alerts: await manager.alertBook.alerts({ limit: 100 }),
    silences: await manager.alertBook.silences(),
    channels: await manager.alertBook.channels(),
    health: await proxy.health(),
    latencies: await proxy.latencies(),
    ejections: await proxy.ejections(),
    samples: await manager.samples(0),
  };
}

describe('a registry that is copied from SQLite to etcd', { skip: etcdMissing() }, () => {
  let cluster: EtcdCluster;
  let folder: string;
  let path: string;
  let etcd: EtcdSettings;
  const cleanups: (() => unknown)[] = [];

  before(async () => {
    cluster = await EtcdCluster.start();
  });
  after(() => cluster.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-copy-'));
    path = join(folder, 'registry.db');
    etcd = cluster.settings();
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    await rm(folder, { recursive: true });
  });

  function keep<T extends { close(): Promise<void> }>(opened: T): T {
    cleanups.push(() => opened.close());
    return opened;
  }
  const inFile = async (): Promise<Sides> => ({
    manager: keep(await openManagerRegistry({ path, node: 'old' })),
    proxy: keep(openProxyRegistry({ path, proxyId: 'lb-1', pid: process.pid })),
  });
  const inEtcd = async (): Promise<Sides> => ({
    manager: keep(await openEtcdManager({ etcd, node: 'a', patience: 0 })),
    proxy: keep(openEtcdProxy({ etcd, proxyId: 'lb-2', pid: process.pid })),
  });
  const close = ({ manager, proxy }: Sides) => Promise.all([manager.close(), proxy.close()]);
  const opened = async () => {
    const [from, to] = [
      { driver: 'sqlite' as const, path },
      { driver: 'etcd' as const, path, etcd },
    ];
    return keep(await RegistryCopy.open({ from, to, node: 'a' }));
  };
  const copy = async (force = false) => {
    const copying = await opened();
    await copying.begin(force);
    return copying.carryOut();
  };

  it('shows its users everything that it showed before', async () => {
    const source = await inFile();
    await fill(source);
    const before = await views(source);
    await close(source);

    const counts = await copy();
    assert.deepEqual([counts.events, counts.steps, counts.instances, counts.outages], [230, 3, 3, 3]);

    const target = await inEtcd();
    assert.deepEqual(await views(target), before);
    const [told] = await target.manager.events({ limit: 1 });
    assert.equal(told?.type, 'registry.copied');
    const ids = (await target.manager.events({ limit: 1_000 })).map(({ id }) => id);
    assert.deepEqual(
      ids,
      [...new Set(ids)].toSorted((a, b) => b - a),
      'later events have greater numbers',
    );
  });

  it('goes on where it stopped: with numbers, alerts, messages and answers that nobody gets twice', async () => {
    const source = await inFile();
    await fill(source);
    await close(source);
    await copy();

    const { manager, proxy } = await inEtcd();
    const ofManager = await manager.alerts.takeOver();
    assert.deepEqual(ofManager, { outages: [outage('of-manager')], deliveries: [delivery('m1')] });
    const ofProxy = await proxy.alerts.takeOver();
    assert.deepEqual(ofProxy, { outages: [outage('of-proxy')], deliveries: [delivery('p1')] });
    const { fingerprint } = CLAIM;
    assert.deepEqual(await manager.requestKeys.claim(CLAIM), { fingerprint, answer: ANSWER, isOurs: false });
    const unknown = await manager.requestKeys.claim(UNANSWERED);
    assert.deepEqual(unknown, { fingerprint: UNANSWERED.fingerprint, answer: null, isOurs: false });
    const silence = { match: { key: 'x' }, createdAt: NOW, until: NOW + 1_000, by: 'ann', comment: '' };
    assert.equal((await manager.alertBook.addSilence(silence)).id, 3);
    const release = { version: null, variant: null, env: {}, deployment: null };
    const next = await manager.createDeployment({ service: 'web', kind: 'restart', release, by: 'ann', queue: false });
    assert.equal(next.id, 2);
    const announced = (await manager.snapshot()).instances.find(({ agent }) => agent !== null)?.id ?? '';
    assert.deepEqual(await manager.announcements.renew(AGENT.id, [announced], 8_000), [], 'its agent is known');
  });

  it('is not copied while a manager has it, and nothing shows in etcd then', async () => {
    await inFile();
    const copying = await opened();
    assert.equal((await copying.preview()).users.manager, process.pid);
    await assert.rejects(copying.hold(), (error) => hasCode(error, 'MANAGER_RUNNING'));
    assert.equal((await copying.preview()).content, null);
  });

  it('is not copied while requests may wait for a service that is paused', async () => {
    const source = await inFile();
    await source.proxy.report({ appliedRevision: 0, inFlight: new Map() });
    await source.manager.changeService('web', { pausedSince: NOW });
    const copying = await opened();
    await assert.rejects(copying.begin(false), /cannot be copied now: web is paused, .*resume it first/);
    await source.manager.changeService('web', { pausedSince: null });
    await copying.begin(false);
  });

  it('is not copied in the middle of a deployment that a load balancer takes part in', async () => {
    const source = await inFile();
    await source.proxy.report({ appliedRevision: 0, inFlight: new Map() });
    const release = { version: null, variant: null, env: {}, deployment: null };
    await source.manager.createDeployment({ service: 'web', kind: 'deploy', release, by: 'ann', queue: false });
    await source.manager.close();
    const copying = await opened();
    assert.match((await copying.preview()).underWay ?? '', /deployment 1 \(deploy of web\) is queued/);
    await assert.rejects(copying.begin(false), /deployment 1 \(deploy of web\) is queued, .*wait until it is over/);
    await source.proxy.withdraw();
    await copying.begin(false);
  });

  it('is copied into nothing but an empty registry, unless somebody insists', async () => {
    await close(await inFile());
    const other = await inEtcd();
    await other.manager.changeService('foreign', { desired: 3 });
    const copying = await opened();
    await assert.rejects(copying.begin(true), (error) => hasCode(error, 'MANAGER_RUNNING'));
    await close(other);
    await assert.rejects(copying.begin(false), /is not empty \(1 service\)\. .*etcdctl get .*--force/);
    await copying.begin(true);
    await copying.carryOut();
    const { manager } = await inEtcd();
    assert.deepEqual((await manager.snapshot()).services, []);
  });

  it('is nothing that a manager begins on before it is whole; a copy that was broken off is begun anew', async () => {
    const source = await inFile();
    await fill(source);
    await close(source);
    const store = keep(new Store(etcd));
    const { pid } = spawnSync('true');
    const mark = { from: path, pid, host: 'here', place: await processPlace(), startedAt: NOW };
    await store.write([
      { put: NAMES.copying, value: mark },
      { put: NAMES.silence(7), value: 'of the broken copy' },
    ]);
    const refusal = /is being copied into the registry .* by process \d+ on here .*No manager can use it/;
    await assert.rejects(openEtcdManager({ etcd, node: 'a', patience: 0 }), refusal);

    assert.equal((await (await opened()).preview()).content, null, 'what is of no use is not in the way');
    await copy();
    const { manager } = await inEtcd();
    assert.deepEqual(
      (await manager.alertBook.silences()).map(({ id }) => id),
      [2],
    );
  });

  it('still has the load balancers that read the file confirm what is drained, for a while', async () => {
    const source = await inFile();
    await source.proxy.report({ appliedRevision: 0, inFlight: new Map() });
    await source.manager.close();
    await copy();
    const { manager, proxy } = await inEtcd();
    await proxy.report({ appliedRevision: 1, inFlight: new Map() });
    const confirmed = (await manager.proxies()).map(({ id, appliedRevision }) => [id, appliedRevision]);
    assert.deepEqual(confirmed, [
      ['lb-1', null],
      ['lb-2', 1],
    ]);
    assert.deepEqual(await proxy.alerts.takeOver(), { outages: [], deliveries: [] });
  });

  it('is brought along by a manager that takes over with etcd from one with a file; any other way is refused before it is too late', async () => {
    const source = await inFile();
    await fill(source);
    await close(source);
    const log = createLogger({ name: 'test', level: 'silent' });
    const before = { driver: 'sqlite', path, revision: 0 } as const;
    const to = (registry: RegistrySettings) => ({ registry, node: { name: 'a', address: '127.0.0.1' } });
    const inEtcdToo = to({ driver: 'etcd', path, etcd });
    assert.equal(await prepareMove(undefined, inEtcdToo, log), null, 'it takes over from nobody');
    assert.equal(await prepareMove(before, to({ driver: 'sqlite', path }), log), null, 'nothing moves');
    const elsewhere = to({ driver: 'etcd', path: `${path}2`, etcd });
    await assert.rejects(prepareMove(before, elsewhere, log), /registry\.path is .*must stay when the registry moves/);
    await assert.rejects(
      prepareMove({ driver: 'etcd', path, revision: 0 }, to({ driver: 'sqlite', path }), log),
      /is in etcd, and cannot be copied/,
    );

    const move = await prepareMove(before, inEtcdToo, log);
    await assert.rejects(openEtcdManager({ etcd, node: 'a', patience: 0 }), /is being copied/);
    await move?.();
    const { manager } = await inEtcd();
    assert.equal((await manager.snapshot()).instances.length, 3);
    await assert.rejects(prepareMove(before, inEtcdToo, log), /is in use by the manager of node a .* To join it/);
  });

  it('is not copied twice at a time', async () => {
    await close(await inFile());
    await (await opened()).begin(false);
    assert.equal((await (await opened()).preview()).content, 'a copy that is not complete');
    await assert.rejects((await opened()).begin(false), /is being copied into the registry .* by process/);
  });
});
