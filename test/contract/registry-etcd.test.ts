import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { hasCode } from '../../internal/model/errors.ts';
import { FIRST_RELEASE } from '../../internal/model/release.ts';
import type { EtcdSettings } from '../../internal/model/registry-settings.ts';
import { openEtcdManager } from '../../internal/registry/etcd/open-manager.ts';
import { openEtcdProxy } from '../../internal/registry/etcd/open-proxy.ts';
import type { EtcdWriter } from '../../internal/registry/etcd/writer.ts';
import { eventually } from '../support/e2e-wait.ts';
import { EtcdCluster, etcdMissing } from '../support/etcd.ts';
import { etcdStore } from '../support/etcd-store.ts';
import { RegistryRecorder } from '../support/registry-recorder.ts';
import { announcementsContract } from './announcements.case.ts';
import { registryContract } from './registry.case.ts';
import { requestKeysContract } from './request-keys.case.ts';

const NOTE = { url: null, address: '10.0.0.6', version: '1', services: ['web'], instances: 1, cores: 2, load: 0 };
const RELEASE = { ...FIRST_RELEASE, version: 'v2' };
const DRAFT = { service: 'web', kind: 'deploy', release: RELEASE, by: 'ann', queue: false } as const;
const BOTH = ['a', 'b'].map((node) => ({ node, release: RELEASE, skipped: null }));

/** Managers of several nodes on one registry. */
class Nodes implements AsyncDisposable {
  readonly #etcd: EtcdSettings;
  readonly #open: EtcdWriter[] = [];

  constructor(etcd: EtcdSettings) {
    this.#etcd = etcd;
  }

  async open(node: string): Promise<EtcdWriter> {
    const writer = await openEtcdManager({ etcd: this.#etcd, node, patience: 0 });
    this.#open.push(writer);
    await writer.heartbeat(NOTE);
    return writer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.map((writer) => writer.close()));
  }
}

describe('the registry in etcd', { skip: etcdMissing() }, () => {
  let cluster: EtcdCluster;
  before(async () => {
    cluster = await EtcdCluster.start();
  });
  after(() => cluster.stop());

  registryContract('etcd', async () => etcdStore(cluster));
  requestKeysContract('etcd', async () => etcdStore(cluster));
  announcementsContract('etcd', async () => etcdStore(cluster));

  describe('with several nodes', () => {
    it('has one deployment on all of them, with a part on each', async () => {
      await using nodes = new Nodes(cluster.settings());
      const [a, b] = [await nodes.open('a'), await nodes.open('b')];
      const left = { node: 'c', release: RELEASE, skipped: 'node c is away' };
      const { id } = await a.createDeployment({ ...DRAFT, parts: [...BOTH, left] });
      const own = await eventually('b to see its part', () => b.deployment(id));
      assert.deepEqual([own.node, own.nodes, own.state, own.release.deployment], ['b', ['a', 'b'], 'queued', id]);
      await assert.rejects(b.createDeployment(DRAFT), (error) => hasCode(error, 'DEPLOYMENT_RUNNING'));
      const parts = await b.deploymentParts(id);
      assert.deepEqual(parts.map(({ node, state }) => `${node} ${state}`).toSorted(), [
        'a queued',
        'b queued',
        'c skipped',
      ]);
      assert.deepEqual(
        (await b.deployments({ limit: 5 })).map(({ node }) => node),
        ['b'],
      );

      await a.changeDeployment(id, { state: 'succeeded', finishedAt: 9 }, { release: RELEASE });
      const { services } = await a.snapshot();
      assert.equal(services[0]?.deploying, id, 'it is under way between two nodes, too');
      assert.deepEqual(await a.releases('web'), [{ node: 'a', release: RELEASE }]);
      const one = await a.recordStep({ deployment: id, at: 1, message: 'one', instanceId: null, logTail: [] });
      const two = await b.recordStep({ deployment: id, at: 2, message: 'two', instanceId: null, logTail: [] });
      assert.deepEqual([one.node, two.node], ['a', 'b']);
      assert.deepEqual(await a.deploymentSteps(id, 0), [one, two]);
    });

    it('lets any of them give up what others have under way, or a node that is not waited for', async () => {
      await using nodes = new Nodes(cluster.settings());
      const [a, b] = [await nodes.open('a'), await nodes.open('b')];
      const { id } = await a.createDeployment({ ...DRAFT, parts: BOTH });
      await a.changeDeployment(id, { state: 'running' });
      await b.giveUpDeployment(id, 'b is away', 'b');
      await b.giveUpDeployment(id, 'given up by ann');
      const parts = await b.deploymentParts(id);
      assert.deepEqual(
        parts.map(({ node, state, givenUp, reason }) => [node, state, givenUp, reason]),
        [
          ['a', 'running', 'given up by ann', null],
          ['b', 'skipped', null, 'b is away'],
        ],
      );
      await b.giveUpDeployment(id, 'too late', 'b');
      assert.equal((await b.deployment(id)).reason, 'b is away');
    });

    it('tells on which node a load balancer is, and which nodes are away while a manager is there to tell people', async () => {
      const etcd = cluster.settings();
      await using nodes = new Nodes(etcd);
      const [a, b] = [await nodes.open('a'), await nodes.open('b')];
      const proxy = openEtcdProxy({ etcd, proxyId: 'lb', pid: 1, node: 'b' });
      try {
        await proxy.report({ appliedRevision: null, inFlight: new Map() });
        await eventually('the load balancer', async () => (await a.proxies())[0]?.node === 'b');
        await b.changeService('web', { desired: 1 });
        assert.equal((await a.snapshot()).away, undefined);
        await b.close();
        await eventually('b to be away', async () => (await proxy.snapshot()).away?.join() === 'b');
        const recorder = new RegistryRecorder();
        proxy.watch(recorder, new AbortController().signal);
        await recorder.picture(({ away }) => away?.join() === 'b');
        await a.close();
        await eventually('nobody to tell', async () => (await proxy.snapshot()).away === undefined);
        await recorder.picture(({ away }) => away === undefined);
      } finally {
        await proxy.close();
      }
    });

    it('forgets the parts of a node in deployments, and the steps of those that no other has one in', async () => {
      await using nodes = new Nodes(cluster.settings());
      const [a, b] = [await nodes.open('a'), await nodes.open('b')];
      const both = await a.createDeployment({ ...DRAFT, parts: BOTH });
      const own = await eventually('b to see it', () => b.createDeployment({ ...DRAFT, queue: true }));
      for (const deployment of [both.id, own.id]) {
        await b.recordStep({ deployment, at: 1, message: 'one', instanceId: null, logTail: [] });
      }
      await b.close();
      await eventually('b to be away', async () => (await a.forgetNode('b')) !== null);
      assert.deepEqual(
        (await a.allDeployments({ limit: 9 })).map(([part, ...others]) => [part?.id, part?.node, others.length]),
        [[both.id, 'a', 0]],
      );
      const left = await Promise.all([both.id, own.id].map((id) => a.deploymentSteps(id, 0)));
      assert.deepEqual(
        left.map((steps) => steps.length),
        [1, 0],
      );
    });
  });
});
