import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createServer } from 'node:tls';
import { Range } from 'etcd3';
import { hasCode } from '../../internal/model/errors.ts';
import { openEtcdManager } from '../../internal/registry/etcd/open-manager.ts';
import { Store } from '../../internal/registry/etcd/store.ts';
import { selfSignedCertificate } from '../support/certificate.ts';
import { EtcdCluster, etcdMissing } from '../support/etcd.ts';
import { DRAFT } from '../support/instance-draft.ts';

const skip = etcdMissing();

describe('who may use the registry in etcd', { skip }, () => {
  it('is who knows the password, and may use the prefix', async () => {
    const cluster = await EtcdCluster.start();
    const etcd = cluster.settings();
    const root = new Store(etcd);
    await root.members.ask(async (client) => {
      const reader = await client.role('reader').create();
      await reader.grant({ permission: 'Read', range: Range.prefix(etcd.prefix) });
      await (await client.user('bob').create('right')).addRole('reader');
      await client.role('root').create();
      const admin = await client.user('root').create('root');
      await admin.addRole('root');
      const role = await client.role('heimdall').create();
      await role.grant({ permission: 'Readwrite', range: Range.prefix(etcd.prefix) });
      const user = await client.user('ann').create('right');
      await user.addRole('heimdall');
      await client.auth.authEnable();
    });
    const open = (changes: object, node = 'a') => openEtcdManager({ etcd: { ...etcd, ...changes }, node });
    const refused = (pattern: RegExp) => (error: unknown) => {
      return hasCode(error, 'REGISTRY_UNAVAILABLE') && pattern.test(error.message) && !error.message.includes('wrong');
    };
    await assert.rejects(
      open({ username: 'ann', password: 'wrong' }),
      refused(/refuses the user name or the password/),
    );
    await assert.rejects(open({}), refused(/wants a user/));
    const elsewhere = { username: 'ann', password: 'right', prefix: '/elsewhere' };
    await assert.rejects(open(elsewhere), refused(/may not read and write there/));
    const onlyReads = { username: 'bob', password: 'right' };
    await assert.rejects(open(onlyReads), refused(/may not read and write there/));
    const manager = await open({ username: 'ann', password: 'right' });
    await assert.rejects(open(onlyReads, 'b'), refused(/may not read and write there/));
    await manager.reserve([DRAFT], [9_000], 1);
    await manager.close();
    await root.close();
    await cluster.stop();
  });

  it('is checked over TLS, by the certificate that is given', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heimdall-tls-'));
    const file = (name: string) => join(folder, name);
    const [good, other] = [selfSignedCertificate(), selfSignedCertificate()];
    await writeFile(file('good.pem'), good.cert);
    await writeFile(file('other.pem'), other.cert);
    const cluster = await EtcdCluster.start();
    const front = createServer({ ...good, ALPNProtocols: ['h2'] }, (client) => {
      const member = connect(Number(new URL(cluster.endpoints[0] ?? '').port), '127.0.0.1');
      client.on('error', () => member.destroy()).on('close', () => member.destroy());
      member.on('error', () => client.destroy()).on('close', () => client.destroy());
      client.pipe(member).pipe(client);
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    const address = front.address();
    const endpoints = [`https://localhost:${typeof address === 'object' ? address?.port : ''}`];
    const open = (ca: string) =>
      openEtcdManager({ etcd: cluster.settings({ endpoints, ca, timeout: 1_000 }), node: 'a' });
    const manager = await open(file('good.pem'));
    await manager.reserve([DRAFT], [9_000], 1);
    await manager.close();
    await assert.rejects(open(file('other.pem')), (error) => hasCode(error, 'REGISTRY_UNAVAILABLE'));
    await assert.rejects(open(file('none.pem')), (error) => {
      return (
        hasCode(error, 'REGISTRY_UNAVAILABLE') && /registry\.etcd\.ca: .*none\.pem cannot be read/.test(error.message)
      );
    });
    front.close();
    await cluster.stop();
    await rm(folder, { recursive: true });
  });
});
