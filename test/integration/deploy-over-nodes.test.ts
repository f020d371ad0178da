import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isOver } from '../../internal/model/deployment.ts';
import { hasCode } from '../../internal/model/errors.ts';
import type { EtcdSettings } from '../../internal/model/registry-settings.ts';
import { openEtcdManager } from '../../internal/registry/etcd/open-manager.ts';
import type { RegistryWriter } from '../../internal/registry/registry.ts';
import { ServerManager } from '../../internal/server/server-manager.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { EtcdCluster, etcdMissing } from '../support/etcd.ts';
import { AlertLog, freeRange, service, until } from '../support/server-fixture.ts';

const NOW = { by: 'ann', queue: false, wait: false };
const WAIT = { ...NOW, wait: true };
const BROKEN = { v3: { env: { FAIL: 'no such table: users' } } };

/** The manager of one node, in this process. */
class Node {
  readonly name: string;
  readonly alerts = new AlertLog();
  readonly #etcd: EtcdSettings;
  readonly #dir: string;
  #parts: { readonly registry: RegistryWriter; readonly manager: ServerManager } | null = null;

  constructor(name: string, etcd: EtcdSettings, dir: string) {
    this.name = name;
    this.#etcd = etcd;
    this.#dir = dir;
  }

  get manager(): ServerManager {
    assert.ok(this.#parts !== null, `the manager of ${this.name} does not run`);
    return this.#parts.manager;
  }

  get registry(): RegistryWriter {
    assert.ok(this.#parts !== null, `the manager of ${this.name} does not run`);
    return this.#parts.registry;
  }

  /** @param versions - besides those that all have. */
  async start(versions: object = {}, clock: () => number = Date.now): Promise<void> {
    const registry = await openEtcdManager({ etcd: this.#etcd, node: this.name, patience: 0 });
    const from = await freeRange(10);
    const web = service({
      instances: 1,
      versions: { v1: {}, v2: {}, v3: {}, ...versions },
      rollout: { minHealthy: '50ms' },
    });
    const manager = new ServerManager({
      registry,
      services: [web],
      ports: { from, to: from + 9 },
      node: this.name,
      dataDir: join(this.#dir, this.name),
      log: createLogger({ name: 'test', level: 'silent' }),
      alerts: this.alerts,
      baseEnv: process.env,
      version: '1.2.3',
      clock,
    });
    this.#parts = { registry, manager };
    await manager.start();
    await manager.settled();
  }

  async stop(keep = false): Promise<void> {
    if (this.#parts === null) return;
    const { manager, registry } = this.#parts;
    this.#parts = null;
    await manager.stop({ keep });
    await registry.close();
  }
}

/** Two nodes on one registry. */
class Pair implements AsyncDisposable {
  readonly a: Node;
  readonly b: Node;
  readonly #dir: string;

  private constructor(etcd: EtcdSettings, dir: string) {
    this.#dir = dir;
    this.a = new Node('a', etcd, dir);
    this.b = new Node('b', etcd, dir);
  }

  static async start(cluster: EtcdCluster, onB: object = {}, clock?: () => number): Promise<Pair> {
    const pair = new Pair(cluster.settings(), await mkdtemp(join(tmpdir(), 'heimdall-pair-')));
    await Promise.all([pair.a.start({}, clock), pair.b.start(onB)]);
    const { manager } = pair.a;
    await until('both to be known', async () => (await manager.nodes.able('web')).length === 2);
    return pair;
  }

  /** The versions that run, by node. */
  async versions(): Promise<string> {
    const { instances } = await this.a.registry.snapshot();
    const running = instances.filter(({ lifecycle }) => lifecycle === 'ready');
    return running
      .map(({ node, version }) => `${node} ${version}`)
      .toSorted()
      .join(', ');
  }

  async over(id: number) {
    return until('the deployment to be over', async () => {
      const { deployment } = await this.a.manager.services.deployment(id);
      return isOver(deployment) ? deployment : null;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.a.stop(), this.b.stop()]);
    await rm(this.#dir, { recursive: true, force: true });
  }
}

describe('a deployment over nodes', { skip: etcdMissing() }, () => {
  let cluster: EtcdCluster;
  before(async () => {
    cluster = await EtcdCluster.start();
  });
  after(() => cluster.stop());

  it('goes through them one after another, and back as one', async () => {
    await using pair = await Pair.start(cluster);
    const { services } = pair.b.manager;
    const first = await services.deploy('web', { version: 'v1' }, WAIT);
    assert.deepEqual(
      first.parts.map(({ node, state }) => [node, state]),
      [
        ['a', 'succeeded'],
        ['b', 'succeeded'],
      ],
    );
    const { steps } = await services.deployment(first.id);
    const nodes = steps.map(({ node }) => node);
    assert.ok(nodes.lastIndexOf('a') <= nodes.indexOf('b'), `a is through before b begins: ${nodes.join(' ')}`);
    assert.equal(await pair.versions(), 'a v1, b v1');

    const alone = await services.deploy('web', { version: 'v2' }, { ...WAIT, alone: true });
    assert.deepEqual([alone.parts.length, await pair.versions()], [1, 'a v1, b v2']);
    await services.rollback('web', undefined, WAIT);
    assert.equal(await pair.versions(), 'a v1, b v1', 'where it was in force');
    await services.rollback('web', alone.id, WAIT);
    assert.equal(await pair.versions(), 'a v2, b v2', 'what another node has run');
    const [listed] = await services.deployments({ limit: 1, node: 'a' });
    assert.deepEqual([listed?.kind, listed?.parts.length], ['rollback', 1]);
  });

  it('ends at the first node where it does not succeed, and says what runs where', async () => {
    await using pair = await Pair.start(cluster, BROKEN);
    const { services } = pair.a.manager;
    await services.deploy('web', { version: 'v1' }, WAIT);
    await assert.rejects(services.deploy('web', { version: 'v3' }, WAIT), (error) => {
      assert.ok(hasCode(error, 'DEPLOYMENT_FAILED'));
      assert.match(error.message, /on node b: .*; what is new runs on a; what ran before runs on b$/);
      assert.deepEqual(error.context['state'], 'failed');
      return true;
    });
    assert.equal(await pair.versions(), 'a v3, b v1');
    const raised = async () => pair.b.alerts.raised.find(({ key }) => key === 'deployment:web');
    assert.match((await until('the alert', raised)).title, /^deployment 2 of web was rolled back on node b$/);
    const back = await services.rollback('web', undefined, WAIT);
    assert.deepEqual([back.parts.length, await pair.versions()], [1, 'a v1, b v1']);
  });

  it('is given up as a whole, also where it was done', async () => {
    await using pair = await Pair.start(cluster);
    await pair.b.stop(true);
    await pair.b.start({ v2: { command: ['node', '-e', 'setTimeout(() => {}, 1e6)'] } });
    const { services } = pair.a.manager;
    await services.deploy('web', { version: 'v1' }, { ...WAIT, alone: true });
    const { id } = await services.deploy('web', { version: 'v2' }, NOW);
    await until('b to have its turn', async () => {
      const { deployment } = await services.deployment(id);
      return deployment.parts.some(({ node, state }) => node === 'b' && state === 'running');
    });
    await assert.rejects(services.deploy('web', { version: 'v1' }, NOW), (error) =>
      hasCode(error, 'DEPLOYMENT_RUNNING'),
    );
    const back = await services.rollback('web', undefined, WAIT);
    assert.deepEqual([back.kind, back.parts.map(({ node }) => node)], ['rollback', ['a']]);
    const given = await pair.over(id);
    assert.match(given.reason ?? '', /^on node b: given up by ann/);
    assert.equal(await pair.versions(), 'a v1, b null');
  });

  it('goes on when the manager of the next node is started again, and no matter who was asked', async () => {
    await using pair = await Pair.start(cluster);
    const { id } = await pair.a.manager.services.deploy('web', { version: 'v2' }, NOW);
    await Promise.all([pair.a.stop(true), pair.b.stop(true)]);
    await Promise.all([pair.a.start(), pair.b.start()]);
    assert.equal((await pair.over(id)).state, 'succeeded');
    assert.equal(await pair.versions(), 'a v2, b v2');
  });

  it('is not waited for for ever where a node has vanished, and leaves out one that is away from the beginning', async () => {
    let skew = 0;
    await using pair = await Pair.start(cluster, {}, () => Date.now() + skew);
    const { services } = pair.a.manager;
    const { id } = await services.deploy('web', { version: 'v2' }, NOW);
    await pair.b.stop(true);
    await until('a to be through', async () => (await pair.versions()).startsWith('a v2'));
    await until('b to be missed', async () => {
      skew += 10_000;
      return isOver((await services.deployment(id)).deployment);
    });
    const { deployment } = await services.deployment(id);
    assert.equal(deployment.reason, 'node b is away; what is new runs on a; what ran before runs on b');

    const next = await services.deploy('web', { version: 'v1' }, WAIT);
    assert.deepEqual(
      [next.state, next.parts.map(({ node, state, reason }) => [node, state, reason])],
      [
        'succeeded',
        [
          ['a', 'succeeded', null],
          ['b', 'skipped', 'node b is away, and keeps what it runs'],
        ],
      ],
    );
    await pair.b.start(); // whose instance runs still
    assert.equal(await pair.versions(), 'a v1, b null');
  });
});
