import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkConfig } from '../../../internal/config/load.ts';
import { ConfigError } from '../../../internal/config/problem.ts';

const MEMBER = 'http://10.0.0.5:2379';
const SECURE = 'https://10.0.0.5:2379';

function problems(registry: object): string[] {
  try {
    checkConfig({ services: [], registry }, { env: {}, cwd: '/srv' });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.ok(!error.message.includes('secret'), 'a password is nobody’s business');
    return error.problems.map(({ path }) => path);
  }
}
const ofEtcd = (etcd: object) => problems({ driver: 'etcd', etcd });

describe('the registry in the configuration', () => {
  it('is a file, or an etcd that is reached as is told', () => {
    assert.deepEqual(problems({}), []);
    assert.deepEqual(ofEtcd({ endpoints: [MEMBER] }), []);
    const files = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' };
    assert.deepEqual(ofEtcd({ endpoints: [SECURE], ...files, username: 'heimdall', password: 'secret' }), []);
  });

  it('needs to know where etcd is, and has no use for that otherwise', () => {
    assert.deepEqual(problems({ driver: 'etcd' }), ['registry.etcd']);
    assert.deepEqual(problems({ etcd: { endpoints: [MEMBER] } }), ['registry.etcd']);
    assert.deepEqual(ofEtcd({ endpoints: [] }), ['registry.etcd.endpoints']);
    assert.deepEqual(ofEtcd({ endpoints: ['10.0.0.5:2379'] }), ['registry.etcd.endpoints[0]']);
    assert.deepEqual(ofEtcd({ endpoints: [MEMBER], prefix: 'heimdall' }), ['registry.etcd.prefix']);
  });

  it('names settings that do not go together', () => {
    assert.deepEqual(ofEtcd({ endpoints: [MEMBER, SECURE] }), ['registry.etcd.endpoints']);
    assert.deepEqual(ofEtcd({ endpoints: [MEMBER], ca: 'ca.pem' }), ['registry.etcd.ca']);
    assert.deepEqual(ofEtcd({ endpoints: [SECURE], ca: 'ca.pem', cert: 'c.pem' }), ['registry.etcd.key']);
    assert.deepEqual(ofEtcd({ endpoints: [SECURE], ca: 'ca.pem', key: 'k.pem' }), ['registry.etcd.cert']);
    assert.deepEqual(ofEtcd({ endpoints: [SECURE], cert: 'c.pem', key: 'k.pem' }), ['registry.etcd.ca']);
    assert.deepEqual(ofEtcd({ endpoints: [MEMBER], password: 'secret' }), ['registry.etcd.username']);
    assert.deepEqual(ofEtcd({ endpoints: [MEMBER], username: 'ann' }), ['registry.etcd.password']);
  });

  it('has its files beside the configuration', () => {
    const registry = { driver: 'etcd', etcd: { endpoints: [SECURE], ca: 'tls/ca.pem' } };
    const { config } = checkConfig({ services: [], registry }, { env: {}, cwd: '/srv' });
    assert.deepEqual([config.registry.etcd?.ca, config.registry.etcd?.cert], ['/srv/tls/ca.pem', undefined]);
  });
});
