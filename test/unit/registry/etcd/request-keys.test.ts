import assert from 'node:assert/strict';
import { it } from 'node:test';
import { hasCode } from '../../../../internal/model/errors.ts';
import { EtcdRequestKeys } from '../../../../internal/registry/etcd/request-keys.ts';
import { FakeEtcd } from '../../../support/fake-etcd.ts';

it('a key that etcd does not take is refused, and not tried for ever', async () => {
  const etcd = new FakeEtcd();
  const mirror = { ...etcd.mirror, all: () => new Map(), kinds: () => [] };
  const write = () => Promise.reject(new Error('not of a claim'));
  const keys = new EtcdRequestKeys({
    store: { get: etcd.get.bind(etcd), commit: etcd.commit.bind(etcd), write },
    mirror,
    clock: () => 0,
    claimant: 'me',
    most: 10,
  });
  const claim = { owner: 'ann', key: 'k', fingerprint: 'f' };
  etcd.fail('refuse');
  await assert.rejects(keys.claim(claim), (error) => hasCode(error, 'REGISTRY_UNAVAILABLE'));
  etcd.fail('lose the answer');
  assert.equal(await keys.claim(claim), null);
});
