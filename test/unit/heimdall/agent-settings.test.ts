import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type AgentArguments, settingsFrom, settingsInFile } from '../../../cmd/heimdall/agent-settings.ts';
import { UsageError } from '../../../cmd/heimdall/command-error.ts';

const EXAMPLE = join(import.meta.dirname, '..', '..', '..', 'docs', 'examples', 'systemd', 'agent.json');

const appsOf = (options: AgentArguments) =>
  settingsFrom(options, {}).apps.map(({ service, port }) => `${service}:${port}`);

describe('the command line of an agent', () => {
  it('names the service of each app, in one word or in two, or one for all', () => {
    assert.deepEqual(appsOf({ app: ['web=8080', 'api=8081'] }), ['web:8080', 'api:8081']);
    assert.deepEqual(appsOf({ app: ['8080'], service: ['web'] }), ['web:8080']);
    assert.deepEqual(appsOf({ app: ['8080', 'api=8081', '8082'], service: ['web', 'shop'] }), [
      'web:8080',
      'api:8081',
      'shop:8082',
    ]);
    assert.deepEqual(appsOf({ app: ['8080', '8081'], service: ['web'] }), ['web:8080', 'web:8081']);
  });

  it('gives all apps what stands beside them', () => {
    const { apps, managers, node } = settingsFrom(
      {
        app: ['web=8080', 'api=8081'],
        manager: ['10.0.0.5:7000', 'https://m.example/'],
        node: 'host-b',
        host: '10.0.0.7',
        weight: '2',
        version: 'v3',
        metadata: ['rack=7', 'zone=a=b'],
        healthPath: '/ready',
        interval: '1s',
      },
      { HEIMDALL_MANAGER: 'http://unused' },
    );
    assert.deepEqual([node, managers], ['host-b', ['http://10.0.0.5:7000', 'https://m.example']]);
    for (const { host, weight, version, metadata, healthCheck } of apps) {
      assert.deepEqual([host, weight, version, metadata], ['10.0.0.7', 2, 'v3', { rack: '7', zone: 'a=b' }]);
      assert.deepEqual([healthCheck.path, healthCheck.interval], ['/ready', 1_000]);
    }
  });

  it('asks the manager of the environment, or else the one on this host', () => {
    const app = ['web=8080'];
    assert.deepEqual(settingsFrom({ app }, { HEIMDALL_MANAGER: 'm:7000' }).managers, ['http://m:7000']);
    assert.deepEqual(settingsFrom({ app }, {}).managers, ['http://127.0.0.1:7000']);
  });

  it('goes to etcd in place of a manager, whatever the environment says', () => {
    const options = { app: ['web=8080'], etcd: ['http://10.0.0.5:2379,http://10.0.0.6:2379', 'http://10.0.0.7:2379'] };
    const { managers, etcd } = settingsFrom(options, { HEIMDALL_MANAGER: 'm:7000' });
    assert.deepEqual(managers, []);
    assert.deepEqual(etcd?.endpoints, ['http://10.0.0.5:2379', 'http://10.0.0.6:2379', 'http://10.0.0.7:2379']);
    assert.equal(etcd.prefix, '/heimdall');
  });

  it('takes an app out within a second: two failures a quarter of a second apart', () => {
    const [app] = settingsFrom({ app: ['web=8080'] }, {}).apps;
    const { interval, fall, rise } = app?.healthCheck ?? assert.fail();
    assert.deepEqual([interval, fall, rise], [250, 2, 1]);
  });

  for (const [words, options] of [
    ['--app: which app', {}],
    ['--app 8080: of which service?', { app: ['8080'] }],
    ['--service: 2 services for 1 apps', { app: ['8080'], service: ['web', 'api'] }],
    ['--service: every --app names its own', { app: ['web=8080'], service: ['api'] }],
    ['--app: expected a whole number from 1 to 65535', { app: ['web=http'] }],
    ['--app: expected 1 to 63 lower-case letters', { app: ['Web=8080'] }],
    ['--app: is the place of apps[0] already', { app: ['web=8080', 'api=8080'] }],
    ['--weight: expected a whole number', { app: ['web=8080'], weight: 'much' }],
    ['--metadata: expected name=value, not "rack"', { app: ['web=8080'], metadata: ['rack'] }],
    ['--metadata: expected a name', { app: ['web=8080'], metadata: ['a b=c'] }],
    ['--manager: expected a URL', { app: ['web=8080'], manager: ['ftp://m'] }],
    ['--etcd: goes in place of --manager', { app: ['web=8080'], etcd: ['http://e:1'], manager: ['m'] }],
    ['--etcd: expected a URL', { app: ['web=8080'], etcd: ['10.0.0.5:2379'] }],
    ['--interval: expected a duration', { app: ['web=8080'], interval: '5' }],
    ['--health-path: expected a path', { app: ['web=8080'], healthPath: 'health' }],
    ['--host: expected an address that others', { app: ['web=8080'], host: '0.0.0.0' }],
    ['--node: expected 1 to 63', { app: ['web=8080'], node: 'A B' }],
  ] as const) {
    it(`refuses what is wrong, and names the option: ${words}`, () => {
      assert.throws(
        () => settingsFrom(options, {}),
        (error) => error instanceof UsageError && error.message.includes(words),
      );
    });
  }
});

describe('the file of an agent', () => {
  it('holds the same, for each app apart', () => {
    const { apps, managers } = settingsInFile(readFileSync(EXAMPLE, 'utf8'), 'agent.json', {});
    assert.equal(managers.length, 2);
    assert.deepEqual(
      apps.map(({ service, weight, healthCheck: { path, interval, fall } }) => [service, weight, path, interval, fall]),
      [
        ['web', 2, '/health', 250, 2],
        ['api', undefined, '/ready', 500, 2],
      ],
    );
  });

  it('names files of etcd beside itself', () => {
    const text =
      '{"etcd": {"endpoints": ["https://e:2379"], "ca": "ca.pem"}, "apps": [{"service": "web", "port": 8080}]}';
    const { etcd, managers } = settingsInFile(text, '/etc/heimdall/agent.json', {});
    assert.deepEqual([etcd?.ca, etcd?.cert, managers], ['/etc/heimdall/ca.pem', undefined, []]);
  });

  it('takes what is secret, or differs from host to host, from the environment', () => {
    const text = `{"node": "\${HOST}", "etcd": {"endpoints": ["http://e:1"], "username": "u", "password": "\${SECRET}"},
      "apps": [{"service": "web", "port": 8080, "metadata": {"rack": "\${RACK}", "note": "a \${RACK}"}}]}`;
    const { node, etcd, apps } = settingsInFile(text, 'agent.json', { HOST: 'b', SECRET: 's3cret', RACK: '7' });
    assert.deepEqual(
      [node, etcd?.password, apps[0]?.metadata],
      ['b', 's3cret', { rack: '7', note: 'a ${RACK}' }], // it stands alone, or for itself
    );
    assert.throws(
      () => settingsInFile(text, 'agent.json', { HOST: 'b', RACK: '7' }),
      (error) => {
        return (
          error instanceof UsageError &&
          error.message === 'agent.json: etcd.password: the environment variable SECRET is not set'
        );
      },
    );
    const odd = () => settingsInFile(text, 'agent.json', { HOST: 'B b', SECRET: 's3cret', RACK: '7' });
    assert.throws(odd, /agent\.json: node: expected 1 to 63 .*\(the value comes from HOST\)/);
  });

  it('is refused with the key at fault', () => {
    for (const [text, words] of [
      ['{', /agent\.json: line 1/],
      ['[]', /agent\.json: /],
      [
        '{"managers": ["m"], "etcd": {"endpoints": ["http://e"]}, "apps": []}',
        /agent\.json: managers: expected managers, or etcd/,
      ],
      ['{"apps": []}', /agent\.json: apps: expected at least one app/],
      ['{"apps": [{"service": "web", "port": 8080, "wait": 1}]}', /agent\.json: apps\[0\]: .*wait/],
      ['{"apps": [{"service": "web", "port": 8080, "healthCheck": null}]}', /agent\.json: apps\[0\]\.healthCheck: /],
    ] as const)
      assert.throws(() => settingsInFile(text, 'agent.json', {}), words, text);
  });
});
