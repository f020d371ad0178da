import assert from 'node:assert/strict';
import { beforeEach, describe, it, mock } from 'node:test';
import { hasCode } from '../../../../internal/model/errors.ts';
import { FORM } from '../../../../internal/registry/etcd/forms.ts';
import { Instances } from '../../../../internal/registry/etcd/instances.ts';
import { Keys } from '../../../../internal/registry/etcd/keys.ts';
import { NAMES } from '../../../../internal/registry/etcd/names.ts';
import { Pictures } from '../../../../internal/registry/etcd/picture.ts';
import { newInstance } from '../../../../internal/registry/instance-rules.ts';
import { DRAFT } from '../../../support/instance-draft.ts';

describe('pictures of a registry in etcd', () => {
  let keys: Keys;
  let instances: Instances;
  let pictures: Pictures;
  let revision: number;

  beforeEach(() => {
    revision = 0;
    keys = new Keys('state/');
    instances = new Instances(keys);
    const [get, all, noteOf] = [keys.get.bind(keys), keys.all.bind(keys), keys.noteOf.bind(keys)];
    pictures = new Pictures({ get, all, noteOf, settledAt: 0, wasLost: false }, instances);
  });

  const entry = (name: string, value: unknown, created = revision) => {
    return { prefix: '/', name, value: JSON.stringify(value), modified: revision, created, lease: null };
  };
  function put(name: string, value: unknown): void {
    revision += 1;
    keys.put(entry(name, value, keys.get(name)?.created ?? revision));
  }
  function putInstance(port: number, changes: object = {}, since: number | null = null): string {
    const instance = newInstance({ ...DRAFT, node: 'a' }, [port], () => true);
    const name = NAMES.instance(instance.host, port);
    put(name, { instance: { ...instance, id: `web-${port}`, ...changes }, since, place: 0 });
    return name;
  }
  const ids = () => pictures.all().instances.map(({ id }) => id);

  it('look at deployments that are over no more, however many there were', () => {
    const release = { deployment: 1, version: null, variant: null, env: {} };
    const part = { service: 'web', kind: 'deploy', release, previous: null, by: 'ann', createdAt: 1, startedAt: 1 };
    const deploy = (node: string, id: number, state: string) => {
      const finishedAt = state === 'succeeded' ? 2 : null;
      put(NAMES.deployment(node, id), { ...part, id, state, finishedAt, reason: null, node, nodes: ['a', 'b'] });
    };
    const deploying = () => pictures.all().services.map((service) => service.deploying);
    put(NAMES.shared('web'), { service: 'web', overrides: {}, pausedSince: null });
    for (let id = 1; id < 5; id += 1) deploy('a', id, 'succeeded');
    deploy('a', 5, 'running');
    deploy('b', 5, 'queued');
    assert.deepEqual(deploying(), [5]);
    deploy('a', 5, 'succeeded');
    assert.deepEqual(deploying(), [5], 'it is between two nodes');
    deploy('b', 5, 'succeeded');
    assert.deepEqual(deploying(), [null]);
    const looks = mock.method(FORM.deployment, 'read');
    deploying();
    assert.equal(looks.mock.callCount(), 0);
  });

  it('keep what has not changed as the same objects, and all of it when nothing has', () => {
    put(NAMES.manager('a'), {});
    for (const port of [9_000, 9_001, 9_002]) putInstance(port);
    const before = pictures.all().instances;
    assert.equal(pictures.all().instances, before);
    putInstance(9_001, { weight: 7 });
    const after = pictures.all().instances;
    assert.deepEqual(
      after.map((instance, at) => instance === before[at]),
      [true, false, true],
    );
    assert.equal(after[1]?.weight, 7);
  });

  it('show what came and went, in the order in which it was made', () => {
    put(NAMES.manager('a'), {});
    for (const port of [9_000, 9_001, 9_002]) putInstance(port);
    keys.remove(NAMES.instance(DRAFT.host, 9_000));
    putInstance(9_003);
    assert.deepEqual(ids(), ['web-9001', 'web-9002', 'web-9003']);
    keys.remove(NAMES.instance(DRAFT.host, 9_001));
    putInstance(9_004, { id: 'web-9001' }, 3); // it has moved to another port
    assert.deepEqual(ids(), ['web-9001', 'web-9002', 'web-9003']);
    assert.equal(instances.get('web-9001')?.instance.port, 9_004);
    assert.equal(instances.get('web-9000'), null);
    assert.equal(instances.at(DRAFT.host, 9_001), null);
  });

  it('name a key that cannot be read until it is mended, and lose nothing else', () => {
    put(NAMES.manager('a'), {});
    putInstance(9_000);
    const name = NAMES.instance(DRAFT.host, 9_001);
    put(name, { instance: 'confused' });
    putInstance(9_002);
    for (const _ of [1, 2]) {
      assert.throws(
        () => pictures.all(),
        (error) => hasCode(error, 'REGISTRY_BROKEN') && error.message.includes(name),
      );
    }
    putInstance(9_001);
    assert.deepEqual(ids(), ['web-9000', 'web-9001', 'web-9002']);
  });

  it('are of what is there after all was read anew', () => {
    put(NAMES.manager('a'), {});
    const [kept, changed] = [putInstance(9_000), putInstance(9_001)];
    putInstance(9_002);
    const before = pictures.all().instances;
    const same = { ...keys.get(kept)! };
    revision += 1;
    const other = {
      ...keys.get(changed)!,
      modified: revision,
      value: keys.get(changed)!.value.replace('"web"', '"api"'),
    };
    keys.replace([same, other, keys.get(NAMES.manager('a'))!]);
    const after = pictures.all().instances;
    assert.deepEqual(
      after.map(({ service }) => service),
      ['web', 'api'],
    );
    assert.equal(after[0], before[0]);
  });

  it('leave out instances of a node that is away, unless their service would have none', () => {
    putInstance(9_000, { lifecycle: 'ready' });
    put(NAMES.manager('b'), {});
    assert.deepEqual(ids(), ['web-9000']);
    putInstance(9_001, { lifecycle: 'ready', node: 'b' });
    assert.deepEqual(ids(), ['web-9001']);
    put(NAMES.manager('a'), {});
    assert.deepEqual(ids(), ['web-9000', 'web-9001']);
  });

  it('add up what the nodes keep of a service', () => {
    const release = { deployment: null, version: 'v1', variant: null, env: {} };
    const own = { service: 'web', desired: 2, configured: 1, release, scheduled: null };
    put(NAMES.manager('a'), {});
    put(NAMES.manager('b'), {});
    put(NAMES.service('a', 'web'), own);
    put(NAMES.service('b', 'web'), { ...own, desired: 3 });
    put(NAMES.shared('web'), { service: 'web', overrides: {}, pausedSince: 5 });
    put(NAMES.shared('api'), { service: 'api', overrides: { weight: 3 }, pausedSince: null });
    const [api, web] = pictures.all().services;
    assert.deepEqual([api?.service, api?.desired, api?.overrides], ['api', 0, { weight: 3 }]);
    assert.deepEqual([web?.desired, web?.configured, web?.pausedSince, web?.release], [5, 2, 5, release]);
    assert.deepEqual(pictures.service('a', 'web'), { ...web, desired: 2, configured: 1 });
    assert.deepEqual([pictures.service('c', 'web')?.desired, pictures.service('c', 'x')], [0, null]);
    assert.deepEqual(
      pictures.own('b').services.map(({ service, desired }) => [service, desired]),
      [
        ['api', 0],
        ['web', 3],
      ],
    );
  });

  it('are not made of a registry that a newer heimdall has made', () => {
    put(NAMES.format, 1);
    pictures.all();
    put(NAMES.format, 2);
    assert.throws(() => pictures.all(), /made by a newer heimdall.*Install the newer version/);
  });
});
