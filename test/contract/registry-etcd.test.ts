import { after, before, describe } from 'node:test';
import { EtcdCluster, etcdMissing } from '../support/etcd.ts';
import { etcdStore } from '../support/etcd-store.ts';
import { announcementsContract } from './announcements.case.ts';
import { registryContract } from './registry.case.ts';
import { requestKeysContract } from './request-keys.case.ts';

describe('the registry in etcd', { skip: etcdMissing() }, () => {
  let cluster: EtcdCluster;
  before(async () => {
    cluster = await EtcdCluster.start();
  });
  after(() => cluster.stop());

  registryContract('etcd', async () => etcdStore(cluster));
  requestKeysContract('etcd', async () => etcdStore(cluster));
  announcementsContract('etcd', async () => etcdStore(cluster));
});
