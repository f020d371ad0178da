import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { hasCode } from '../../internal/model/errors.ts';
import type { EtcdSettings } from '../../internal/model/registry-settings.ts';
import { NAMES } from '../../internal/registry/etcd/names.ts';
import { openEtcdManager } from '../../internal/registry/etcd/open-manager.ts';
import { openEtcdProxy } from '../../internal/registry/etcd/open-proxy.ts';
import { Store } from '../../internal/registry/etcd/store.ts';
import { newInstance } from '../../internal/registry/instance-rules.ts';
import type { Snapshot } from '../../internal/registry/registry.ts';
import { eventually } from '../support/e2e-wait.ts';
import { EtcdCluster, etcdMissing } from '../support/etcd.ts';
import { DRAFT } from '../support/instance-draft.ts';
import { RegistryRecorder } from '../support/registry-recorder.ts';
import { TcpSwitch } from '../support/tcp-switch.ts';

const PORTS = Array.from({ length: 200 }, (_, index) => 9_000 + index);
const REPORT = { appliedRevision: 0, inFlight: new Map<string, number>() };
const skip = etcdMissing();

type CommitArguments = Parameters<Store['commit']>;

describe('the registry in etcd when something is out of order', { skip }, () => {
  let cluster: EtcdCluster;
  let etcd: EtcdSettings;
  let store: Store;
  let recorder: RegistryRecorder;
  const cleanups: (() => unknown)[] = [];

  before(async () => {
    cluster = await EtcdCluster.start();
  });
  after(() => cluster.stop());
  beforeEach(() => {
    etcd = cluster.settings({ timeout: 1_500 });
    store = keep(new Store(etcd));
    recorder = new RegistryRecorder();
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  function keep<T extends { close(): Promise<void> }>(opened: T): T {
    cleanups.push(() => opened.close());
    return opened;
  }
  const open = async (node = 'a') => keep(await openEtcdManager({ etcd, node, patience: 0 }));
  function watchingProxy(settings = etcd, proxyId = 'proxy-a') {
    const proxy = keep(openEtcdProxy({ etcd: settings, proxyId, pid: 1 }));
    proxy.watch(recorder, new AbortController().signal);
    return proxy;
  }
  /** As if they had run out. */
  async function endLeases(): Promise<void> {
    const { entries } = await store.list('state/');
    for (const lease of new Set(entries.flatMap((entry) => entry.lease ?? []))) await store.revoke(lease);
  }
  async function throughSwitch(): Promise<{ readonly way: TcpSwitch; readonly settings: EtcdSettings }> {
    const way = keep(await TcpSwitch.to(Number(new URL(etcd.endpoints[0] ?? '').port)));
    return { way, settings: { ...etcd, endpoints: [way.url] } };
  }
  const countOf = ({ instances }: Snapshot) => instances.length;

  it('fails once when etcd is killed, and goes on with it when it is back', async () => {
    const manager = await open();
    await manager.reserve([DRAFT], PORTS, 1);
    const proxy = watchingProxy();
    await proxy.report(REPORT);
    const before = await recorder.picture((picture) => countOf(picture) === 1);
    const told = recorder.pictures.length;
    await cluster.members[0]?.kill();
    assert.ok(hasCode(await recorder.failure(), 'REGISTRY_UNAVAILABLE'));
    const calls = [proxy.report(REPORT), proxy.snapshot(), manager.reserve([DRAFT], PORTS, 1), manager.heartbeat()];
    await Promise.all(calls.map((call) => assert.rejects(call, (error) => hasCode(error, 'REGISTRY_UNAVAILABLE'))));
    cluster.members[0]?.start();
    assert.deepEqual(await recorder.picture(), before);
    assert.deepEqual([recorder.failures.length, recorder.pictures.length], [1, told + 1]);
    await proxy.report({ ...REPORT, appliedRevision: before.revision });
    await eventually('the manager beats', () => manager.heartbeat().then(() => true));
    await eventually('the report is back', async () => {
      return (await manager.proxies())[0]?.appliedRevision === before.revision;
    });
    await manager.reserve([DRAFT], PORTS, 1);
    await recorder.picture((picture) => countOf(picture) === 2);
  });

  it('shows no picture without what is there while everybody comes back, one after the other', async () => {
    const [a, b] = [await open('a'), await open('b')];
    for (const [manager, node] of [[a, 'a'] as const, [b, 'b'] as const]) {
      const [row] = await manager.reserve([{ ...DRAFT, node }], PORTS, 1);
      await manager.update(row?.id ?? '', { lifecycle: 'ready' });
    }
    const proxy = watchingProxy();
    await recorder.picture(({ instances }) => instances.filter(({ lifecycle }) => lifecycle === 'ready').length === 2);
    const told = recorder.told.length;
    await cluster.members[0]?.kill();
    await recorder.failure();
    cluster.members[0]?.start();
    await cluster.ready();
    await endLeases();
    await recorder.picture();
    await eventually('one is back', () => a.heartbeat().then(() => true));
    await proxy.report(REPORT);
    assert.equal(countOf(await proxy.snapshot()), 2, 'b has its time to come back');
    await b.heartbeat();
    assert.equal(countOf(await proxy.snapshot()), 2);
    assert.deepEqual(
      recorder.told
        .slice(told)
        .flatMap(({ snapshot }) => (snapshot ? [countOf(snapshot)] : []))
        .filter((count) => count !== 2),
      [],
    );
    await endLeases();
    const beats = setInterval(() => void a.heartbeat().catch(() => undefined), 500);
    cleanups.push(() => clearInterval(beats));
    await recorder.picture((picture) => countOf(picture) === 1); // in ordinary times a node that falls silent is away
    await b.heartbeat();
    await recorder.picture((picture) => countOf(picture) === 2);
  });

  it('tells what instances of other nodes use, as long as their managers are there', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const note = { url: null, address: '10.0.0.6', version: '1', services: [], instances: 2, cores: 2, load: 0 };
    const used = new Map([
      ['web-9000', { memory: 64_000_000, cpu: 1.5 }],
      ['web-9001', { memory: 1_000, cpu: null }],
    ]);
    await b.heartbeat(note, used);
    await eventually('a knows', async () => isDeepStrictEqual(await a.usage(), used));
    assert.equal((await b.usage()).size, 0, 'it knows its own itself');
    await b.close();
    await eventually('it is no news any more', async () => (await a.usage()).size === 0);
  });

  it('forgets a node that is gone, when somebody says that it is gone for good', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const note = { url: null, address: '10.0.0.6', version: '1', services: [], instances: 1, cores: 2, load: 0 };
    for (const manager of [a, b]) await manager.heartbeat(note, new Map([['web-9000', { memory: 1, cpu: 1 }]]));
    const draft = (node: string, host: string) => Array.from({ length: 60 }, () => ({ ...DRAFT, node, host }));
    for (let portions = 0; portions < 2; portions += 1) await b.reserve(draft('b', '10.0.0.6'), PORTS, 60);
    const kept = await a.reserve(draft('a', '10.0.0.5'), PORTS, 60);
    await b.changeService('web', { pausedSince: 1 });
    await eventually('a sees b', async () => (await a.nodes()).length === 2);
    await assert.rejects(a.forgetNode('b'), (error) => hasCode(error, 'NODE_PRESENT'));
    await assert.rejects(
      a.forgetNode('c'),
      (error) => hasCode(error, 'NODE_NOT_FOUND') && /there are: a, b/.test(error.message),
    );
    await b.close();
    await eventually('b is away', async () => (await a.nodes())[1]?.alive === false);
    assert.equal((await a.forgetNode('b')).length, 120);
    assert.deepEqual([(await a.nodes()).map(({ name }) => name), countOf(await a.snapshot())], [['a'], kept.length]);
    const { services } = await a.snapshot();
    assert.deepEqual([services[0]?.desired, services[0]?.pausedSince], [60, 1], 'what holds for all stays');
    const { entries } = await store.list('state/');
    assert.deepEqual(
      entries.filter(({ name }) => /\/b(?:\/|$)|10\.0\.0\.6/.test(name)),
      [],
    );
  });

  it('keeps the instances of nodes that are away when their service had none else', async () => {
    const manager = await open('a');
    const [row] = await manager.reserve([{ ...DRAFT, node: 'a' }], PORTS, 1);
    await manager.update(row?.id ?? '', { lifecycle: 'ready' });
    watchingProxy();
    await recorder.picture(({ instances }) => instances[0]?.lifecycle === 'ready');
    await endLeases();
    const other = await open('b');
    assert.deepEqual(countOf(await other.snapshot()), 1);
    assert.deepEqual(countOf(await other.own()), 0);
    const [second] = await other.reserve([{ ...DRAFT, node: 'b' }], PORTS, 1);
    await other.update(second?.id ?? '', { lifecycle: 'ready' });
    const picture = await recorder.picture(({ instances }) => instances.every(({ node }) => node === 'b'));
    assert.equal(countOf(picture), 1);
    assert.equal(countOf(await manager.own()), 1, 'its manager takes it up again when it is back');
  });

  it('reads all again when what happened meanwhile was compacted', async () => {
    const { way, settings } = await throughSwitch();
    watchingProxy(settings);
    await recorder.picture();
    const manager = await open();
    way.cut();
    for (const _ of PORTS.slice(0, 5)) await manager.reserve([DRAFT], PORTS, 1);
    await manager.remove((await manager.own()).instances[0]?.id ?? '');
    const { revision } = await store.get(NAMES.id);
    await store.members.ask((client) => client.kv.compact({ revision }));
    way.mend();
    const picture = await recorder.picture((each) => countOf(each) > 0);
    assert.deepEqual(picture.instances, (await manager.own()).instances);
    assert.equal(picture.revision, (await manager.own()).revision);
  });

  it('notices a way to etcd that has fallen silent, and takes it again when it is mended', async () => {
    const { way, settings } = await throughSwitch();
    const proxy = watchingProxy(settings);
    await recorder.picture();
    const manager = await open();
    way.silence();
    await manager.reserve([DRAFT], PORTS, 1);
    await recorder.failure();
    await assert.rejects(proxy.report(REPORT), (error) => hasCode(error, 'REGISTRY_UNAVAILABLE'));
    way.mend();
    await recorder.picture((picture) => countOf(picture) === 1);
    await proxy.report(REPORT);
  });

  it('is another registry when all was deleted', async () => {
    const manager = await open();
    await manager.reserve([DRAFT], PORTS, 1);
    const proxy = watchingProxy();
    const { registryId } = await recorder.picture((picture) => countOf(picture) === 1);
    await proxy.report({ ...REPORT, appliedRevision: 1 });
    await store.removeAll('state/');
    const other = await recorder.picture((picture) => picture.registryId !== registryId);
    assert.equal(countOf(other), 0);
    await manager.heartbeat();
    assert.equal((await manager.snapshot()).registryId, other.registryId);
  });

  it('names the key that is not valid, and recovers when it is mended', async () => {
    const manager = await open();
    await manager.reserve([DRAFT], PORTS, 1);
    const proxy = watchingProxy();
    const before = await recorder.picture((picture) => countOf(picture) === 1);
    const name = NAMES.instance(DRAFT.host, 9_000);
    const { entry } = await store.get(name);
    await store.write([{ put: name, value: { instance: 'confused' } }]);
    const failure = await recorder.failure();
    assert.ok(hasCode(failure, 'REGISTRY_BROKEN'));
    assert.match(failure.message, /\/test-\d+\/state\/instances\/127\.0\.0\.1\/9000 .*instance/);
    await assert.rejects(proxy.snapshot(), (error) => hasCode(error, 'REGISTRY_BROKEN'));
    await proxy.report(REPORT);
    await store.write([{ put: name, value: JSON.parse(entry?.value ?? '') }]);
    assert.deepEqual((await recorder.picture()).instances, before.instances);
  });

  it('gives back what of many was reserved when something else has taken a port of the rest', async () => {
    const manager = await open();
    const drafts = PORTS.slice(0, 150).map(() => DRAFT);
    const foreign = { ...newInstance(DRAFT, [9_149], () => true), id: 'foreign' };
    const { commit } = Store.prototype;
    let isTaken = false;
    const spy = mock.method(Store.prototype, 'commit', async function (this: Store, ...given: CommitArguments) {
      const outcome = await commit.apply(this, given);
      const value = { instance: foreign, since: null, place: 0 };
      if (!isTaken) await store.write([{ put: NAMES.instance(DRAFT.host, 9_149), value }]);
      isTaken = true;
      return outcome;
    });
    cleanups.push(() => spy.mock.restore());
    const refused = manager.reserve(drafts, PORTS.slice(0, 150), 150);
    await assert.rejects(refused, (error) => hasCode(error, 'NO_FREE_PORT'));
    const { services, instances } = await manager.snapshot();
    assert.deepEqual([services[0]?.desired, instances], [0, [foreign]]);
  });

  it('waits for nothing when what it was overtaken by is gone before that shows here', async () => {
    const manager = await open();
    const [row] = await manager.reserve([DRAFT], PORTS, 1);
    const name = NAMES.instance(DRAFT.host, row?.port ?? 0);
    const { commit } = Store.prototype;
    const spy = mock.method(Store.prototype, 'commit', async function (this: Store, ...given: CommitArguments) {
      spy.mock.restore();
      await store.write([{ put: name, value: { instance: { ...row, weight: 2 }, since: null, place: 0 } }]);
      const outcome = await commit.apply(this, given);
      await store.write([{ remove: name }]);
      await eventually('the manager to see it', async () => countOf(await manager.snapshot()) === 0);
      return outcome;
    });
    const refused = manager.update(row?.id ?? '', { weight: 3 });
    const others = Promise.all([manager.reserve([DRAFT], PORTS, 1), manager.changeService('api', { desired: 2 })]);
    await assert.rejects(refused, (error) => hasCode(error, 'INSTANCE_NOT_FOUND'));
    assert.equal((await others)[0].length, 1);
  });

  it('waits for nothing when what is to be removed is gone', async () => {
    const proxy = watchingProxy();
    await recorder.picture();
    await store.write([{ put: 'kept/something', value: 'that no process is told of' }]);
    const notification = { id: 'm', at: 1, level: 'info', subject: '', text: '', entries: [] } as const;
    const settled = [{ channel: 'webhook', notification }];
    await proxy.alerts.save({ outages: [], released: [], made: [], settled });
    await proxy.withdraw();
  });

  it('stays with a member that refuses something, and goes on watching through it', async () => {
    const proxy = watchingProxy();
    await recorder.picture();
    const { turn } = store.members;
    const refused = store.write([{ put: 'kept/x', value: 1, lease: '4711' }]);
    await assert.rejects(refused, (error) => hasCode(error, 'REGISTRY_UNAVAILABLE'));
    assert.equal(store.members.turn, turn);
    await proxy.snapshot();
  });

  it('is left alone when a newer heimdall has made it', async () => {
    const proxy = watchingProxy();
    const before = await recorder.picture();
    await store.write([{ put: NAMES.format, value: 2 }]);
    const isNewer = (error: unknown) => hasCode(error, 'REGISTRY_BROKEN') && /newer heimdall/.test(error.message);
    assert.ok(isNewer(await recorder.failure()));
    await assert.rejects(open(), isNewer);
    await assert.rejects(keep(openEtcdProxy({ etcd, proxyId: 'b', pid: 1 })).snapshot(), isNewer);
    await store.write([{ put: NAMES.format, value: 1 }]);
    assert.deepEqual(await recorder.picture(), before);
    await proxy.snapshot();
  });

  it('lets a load balancer begin while etcd is not there', async () => {
    const { way, settings } = await throughSwitch();
    way.cut();
    watchingProxy(settings);
    assert.ok(hasCode(await recorder.failure(), 'REGISTRY_UNAVAILABLE'));
    way.mend();
    await recorder.picture();
  });

  it('tells a manager that begins then where it looked, and leaves nothing behind', async () => {
    const { way, settings } = await throughSwitch();
    way.cut();
    await assert.rejects(openEtcdManager({ etcd: settings, node: 'a' }), (error) => {
      return hasCode(error, 'REGISTRY_UNAVAILABLE') && error.message.includes(way.url);
    });
    way.mend();
    keep(await openEtcdManager({ etcd: settings, node: 'a' }));
  });

  describe('a manager whose lease ran out', () => {
    it('takes its node again, and loses nothing that it was about to write', async () => {
      const manager = await open();
      await endLeases();
      const [row] = await manager.reserve([DRAFT], PORTS, 1);
      assert.ok(row);
      await endLeases();
      await manager.heartbeat();
      assert.deepEqual([await manager.leads(), countOf(await manager.own())], [true, 1]);
    });

    it('writes nothing while another one has its node, and says who', async () => {
      const manager = await open();
      const [row] = await manager.reserve([DRAFT], PORTS, 1);
      await endLeases();
      const next = await open();
      const refused = (error: unknown) =>
        hasCode(error, 'MANAGER_RUNNING') && /pid \d+ on .* has the node a/.test(error.message);
      await assert.rejects(manager.reserve([DRAFT], PORTS, 1), refused);
      await assert.rejects(manager.update(row?.id ?? '', { weight: 9 }), refused);
      await assert.rejects(manager.heartbeat(), refused);
      assert.deepEqual(await next.own(), { ...(await next.own()), instances: [row] });
      await next.close();
      await manager.heartbeat();
      await manager.update(row?.id ?? '', { weight: 9 });
    });

    it('gives way at once when its process is known to have ended', async () => {
      const { entry } = await store.get(NAMES.manager('a'));
      assert.equal(entry, null);
      const manager = await open();
      const held = (await store.get(NAMES.manager('a'))).entry;
      const dead = { ...JSON.parse(held?.value ?? ''), pid: 2 ** 22 + 1, token: 'other' };
      await store.write([{ put: NAMES.manager('a'), value: dead, lease: held?.lease ?? null }]);
      const next = keep(await openEtcdManager({ etcd, node: 'a' }));
      await next.reserve([DRAFT], PORTS, 1);
      await assert.rejects(manager.heartbeat(), (error) => hasCode(error, 'MANAGER_RUNNING'));
    });

    it('is followed by another one only when it is silent', async () => {
      const manager = await open();
      const beats = setInterval(() => void manager.heartbeat().catch(() => undefined), 100);
      try {
        await assert.rejects(openEtcdManager({ etcd, node: 'a' }), (error) => hasCode(error, 'MANAGER_RUNNING'));
      } finally {
        clearInterval(beats);
      }
    });
  });

  it('gives what a dead sender has left to one other, however many ask', async () => {
    const [gone, ...others] = ['gone', 'b', 'c', 'd'].map((id) => keep(openEtcdProxy({ etcd, proxyId: id, pid: 1 })));
    for (const proxy of [gone, ...others]) await proxy?.report(REPORT);
    const alert = { key: 'k', severity: 'warning', title: 'x', at: Date.now() } as const;
    const outage = { id: 'o', alert, resolvedAt: null, told: true, announced: [], occurrences: 1, open: true };
    await gone?.alerts.save({ outages: [outage], released: [], made: [], settled: [] });
    await gone?.withdraw();
    const { revision } = await store.get(NAMES.id);
    await store.write([{ put: 'state/barrier', value: revision }]);
    const found = await eventually('somebody takes it over', async () => {
      const taken = await Promise.all(others.map((proxy) => proxy.alerts.takeOver()));
      const all = taken.flatMap(({ outages }) => outages);
      return all.length > 0 ? all : null;
    });
    assert.deepEqual(found, [outage]);
    assert.deepEqual(
      (await Promise.all(others.map((proxy) => proxy.alerts.takeOver()))).flatMap(({ outages }) => outages),
      [],
    );
  });
});

describe('the registry in etcd of three members', { skip }, () => {
  let cluster: EtcdCluster;
  before(async () => {
    cluster = await EtcdCluster.start({ members: 3 });
  });
  after(() => cluster.stop());

  for (const [what, harm] of [
    ['a member is killed', 'kill'],
    ['a member stands still', 'stop'],
  ] as const) {
    it(`loses nothing, and does nothing twice, when ${what} under writes, whichever leads`, async () => {
      const etcd = cluster.settings();
      const manager = await openEtcdManager({ etcd, node: 'a' });
      const proxy = openEtcdProxy({ etcd, proxyId: 'a', pid: 1 });
      const recorder = new RegistryRecorder();
      proxy.watch(recorder, new AbortController().signal);
      await recorder.picture();
      const writes: Promise<unknown>[] = [];
      for (const member of cluster.members) {
        for (let count = 0; count < 10; count += 1) writes.push(manager.reserve([DRAFT], PORTS, 1));
        if (harm === 'kill') await member.kill();
        else member.signal('SIGSTOP');
        for (let count = 0; count < 10; count += 1) writes.push(manager.reserve([DRAFT], PORTS, 1));
        const results = await Promise.allSettled(writes);
        assert.deepEqual(
          results.filter(({ status }) => status === 'rejected'),
          [],
        );
        if (harm === 'kill') member.start();
        else member.signal('SIGCONT');
        await cluster.ready();
      }
      const picture = await recorder.picture((each) => each.instances.length === writes.length);
      assert.equal(picture.services[0]?.desired, writes.length);
      assert.equal(new Set(picture.instances.map(({ port }) => port)).size, writes.length);
      assert.deepEqual(recorder.failures, []);
      await proxy.close();
      await manager.close();
    });
  }
});
