import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { doctorText } from '../../../../cmd/heimdall/doctor/doctor-text.ts';
import { examine } from '../../../../cmd/heimdall/doctor/examine.ts';
import type { Finding } from '../../../../cmd/heimdall/doctor/finding.ts';
import type { Machine } from '../../../../cmd/heimdall/doctor/machine.ts';
import { plain } from '../../../../cmd/heimdall/terminal/paint.ts';
import { checkConfig } from '../../../../internal/config/load.ts';
import { ConfigError } from '../../../../internal/config/problem.ts';
import type { EtcdFacts } from '../../../../internal/registry/etcd/inspect.ts';
import { NEWEST_SCHEMA, type RegistryFile } from '../../../../internal/registry/sqlite/registry-file.ts';

const NOW = 1_700_000_000_000;
const DAY_MS = 86_400_000;
const LOCAL_PORTS = '32768\t60999\n';
const CONFIG = {
  services: [{ name: 'web', command: ['node', 'server.js'], instances: 2 }],
  alerts: { webhooks: [{ url: 'https://example.org/hook' }] },
};
const CONTENT = {
  registryId: 'a',
  revision: 7,
  schema: NEWEST_SCHEMA,
  services: 1,
  instances: 2,
  deployments: 0,
  events: 9,
};
const PROXY = { id: 'p', pid: 22, startedAt: NOW, heartbeatAt: NOW, appliedRevision: 7 };
const REGISTRY: RegistryFile = {
  flaw: null,
  content: CONTENT,
  users: { manager: { pid: 21, startedAt: NOW, heartbeatAt: NOW }, proxies: [PROXY], instanceIds: ['web-1', 'web-2'] },
  lastEventAt: NOW,
};
const USERS = REGISTRY.users!;
const ETCD: EtcdFacts = {
  silent: [],
  content: CONTENT,
  copying: null,
  managerPid: 21,
  proxies: [{ ...PROXY, inFlight: new Map() }],
  instanceIds: ['web-1', 'web-2'],
};
const PROC: Readonly<Record<string, string>> = {
  'sys/net/core/somaxconn': '4096\n',
  'sys/net/ipv4/ip_local_port_range': LOCAL_PORTS,
  'sys/net/ipv4/ip_unprivileged_port_start': '1024\n',
  'self/limits':
    'Limit  Soft Limit  Hard Limit  Units\nMax open files            65536                65536                files\n',
};
const FOLDER = { isFolder: true, uid: 1_000, mode: 0o755 };
const FILE = { isFolder: false, uid: 1_000, mode: 0o600 };
const HOLDERS = new Map([
  [7_000, 21],
  [8_080, 22],
  [8_081, 22],
]);

/** On which heimdall runs, and all is well. */
const WELL: Machine = {
  nodeVersion: '26.1.0',
  version: '1.0.0',
  uid: 1_000,
  path: ['/usr/bin'],
  now: () => NOW,
  proc: async (name) => PROC[name] ?? null,
  isPortFree: async () => false,
  addresses: () => ['127.0.0.1', '10.0.0.5'],
  portHolder: async (port) => ({ name: 'node', pid: HOLDERS.get(port) ?? 0 }),
  listeningPorts: async () => new Set([9_000, 9_001]),
  file: async (path) => (/\.(js|db)$|bin\/node$/.test(path) ? FILE : FOLDER),
  may: async () => true,
  names: async () => [],
  freeBytes: async () => 1e12,
  registry: async () => REGISTRY,
  etcd: async () => ETCD,
  instanceProcesses: async () => [
    { instanceId: 'web-1', group: 31 },
    { instanceId: 'web-2', group: 32 },
  ],
  isAlive: () => true,
  status: async (url) => ({ pid: url.endsWith(':7000') ? 21 : 22, version: '1.0.0' }),
  connect: async () => null,
  validTo: async () => NOW + 90 * DAY_MS,
};
const STOPPED: Partial<Machine> = {
  isPortFree: async () => true,
  portHolder: async () => null,
  status: async () => 'connect ECONNREFUSED 127.0.0.1:7000',
};

async function found(changes: Partial<Machine>, config: object = {}): Promise<Finding[]> {
  const loaded = checkConfig({ ...CONFIG, ...config }, { env: {}, cwd: '/srv' });
  return examine(loaded, { ...WELL, ...changes });
}

async function faults(changes: Partial<Machine>, config: object = {}): Promise<string[]> {
  const findings = (await found(changes, config)).filter(({ level }) => level !== 'well');
  for (const { advice, message } of findings) assert.ok(advice, `${message}: and what is to be done?`);
  return findings.map(({ level, about, message, advice }) => `${level} ${about}: ${message} → ${advice}`);
}

function proc(changes: Readonly<Record<string, string>>): Partial<Machine> {
  return { proc: async (name) => ({ ...PROC, ...changes })[name] ?? null };
}

function registry(changes: Partial<RegistryFile>): Partial<Machine> {
  return { registry: async () => ({ ...REGISTRY, ...changes }) };
}

/** @param expected - a pattern for each finding that is not well, in this order. */
async function assertFaults(
  expected: readonly RegExp[],
  changes: Partial<Machine>,
  config: object = {},
): Promise<void> {
  const actual = await faults(changes, config);
  assert.equal(actual.length, expected.length, actual.join('\n'));
  for (const [index, pattern] of expected.entries()) assert.match(actual[index] ?? '', pattern);
}

describe('heimdall doctor', () => {
  it('finds nothing wrong where all is well, running or stopped', async () => {
    assert.deepEqual(await faults({}), []);
    assert.deepEqual(await faults({ ...STOPPED, registry: async () => null, instanceProcesses: async () => [] }), []);
  });

  it('goes on without a configuration that can be used', async () => {
    const problem = { path: 'proxy.port', message: 'expected a port', value: '"x"', source: 'file' } as const;
    const findings = await examine(new ConfigError([problem], '/srv/config.json'), WELL);
    assert.deepEqual(findings[0], {
      level: 'broken',
      about: 'configuration',
      message: 'proxy.port: expected a port (value: "x")',
      advice: 'correct it in /srv/config.json',
    });
    assert.deepEqual(
      findings.slice(1).map(({ about, level }) => [about, level]),
      [
        ['Node', 'well'],
        ['kernel', 'well'],
      ],
    );
  });

  it('tells when instances cannot be where node.address says, or nobody could reach them there', async () => {
    const there = [/^warning node\.address: 10\.0\.0\.6 is no address of this machine.* → .*env\.HOST/];
    await assertFaults(there, {}, { node: { address: '10.0.0.6' } });
    await assertFaults([], {}, { node: { address: '10.0.0.5' } });
    const registry = { driver: 'etcd', etcd: { endpoints: ['http://10.0.0.5:2379'] } };
    const finding = (await found({}, { registry })).find(({ about }) => about === 'node.address');
    assert.match(finding?.message ?? '', /^instances listen on 127\.0\.0\.1: .* other machines do not reach them/);
    const hints = (await found({}, { registry, node: { address: '10.0.0.5' } })).filter(
      ({ level }) => level === 'hint',
    );
    assert.deepEqual(
      hints.map(({ about }) => about),
      ['manager.host'],
    );
  });

  it('tells who holds its ports, and which need a privilege', async () => {
    const holder = async (port: number) => (port === 8_080 ? { name: 'nginx', pid: 99 } : WELL.portHolder(port));
    await assertFaults([/^broken port 8080: wanted by the load balancer, held by nginx \(pid 99\) → .*proxy\.port/], {
      portHolder: holder,
    });
    const low = { proxy: { port: 80 } };
    await assertFaults([/^warning port 80: .*below 1024 need a privilege/, /^hint leftovers/], STOPPED, low);
    assert.doesNotMatch((await faults({ ...STOPPED, uid: 0 }, low)).join(), /privilege/);
  });

  it('tells whether there are ports for the instances, and whether others may be given them', async () => {
    const ports = { ports: { from: 40_000, to: 40_002 } };
    const busy = { listeningPorts: async () => new Set([40_000, 40_001]), instanceProcesses: async () => [] };
    await assertFaults(
      [/^broken ports .*: room for 1 instances, but 2 are/, /^warning ports .*below 32768/],
      busy,
      ports,
    );
    const reserved = proc({ 'sys/net/ipv4/ip_local_reserved_ports': '1,39990-40010\n' });
    assert.deepEqual(await faults(reserved, ports), []);
  });

  it('tells when one process does not run, is of another version or another registry, or refuses the token', async () => {
    const status = (told: Awaited<ReturnType<Machine['status']>>) => ({
      status: async (url: string) => (url.endsWith(':7000') ? WELL.status(url, undefined) : told),
    });
    await assertFaults(
      [/^warning load balancer: does not run, though/, /^broken port/, /^broken port/],
      status('ECONNREFUSED'),
    );
    await assertFaults(
      [/^broken load balancer: .*status 401 → .*token/, /^broken port/, /^broken port/],
      status('status 401'),
    );
    await assertFaults(
      [/^warning load balancer: runs version 0\.9, installed is 1\.0\.0 → heimdall reload/],
      status({ pid: 22, version: '0.9' }),
    );
    const other = {
      ...status({ pid: 77, version: '1.0.0' }),
      portHolder: async (port: number) => ({ name: 'node', pid: port === 7_000 ? 21 : 77 }),
    };
    await assertFaults([/^warning load balancer: pid 77 answers, which is one of another registry/], other);
  });

  it('tells what of the commands is not there', async () => {
    const without = (path: string): Partial<Machine> => ({
      file: async (name) => (name === path ? null : WELL.file(name)),
    });
    await assertFaults([/^broken service web: command: there is no file \/srv\/server\.js/], without('/srv/server.js'));
    await assertFaults(
      [/^broken service web: command: there is no program node on the PATH/],
      without('/usr/bin/node'),
    );
    await assertFaults([/node is not executable/], { may: async (access) => access !== 'execute' });
    const versions = { services: [{ ...CONFIG.services[0], versions: { two: { cwd: '/gone' } } }] };
    await assertFaults(
      [/^broken service web: versions\["two"\]: there is no folder \/gone/],
      without('/gone'),
      versions,
    );
  });

  it('tells of a registry that is damaged, gone or behind, and of a clock that was set back', async () => {
    await assertFaults(
      [
        /^warning server manager/,
        /^warning load balancer/,
        /^broken registry: .*it is damaged: x → .*heimdall restore/,
      ],
      registry({ flaw: 'is damaged: x', content: null, users: null }),
    );
    const gone = { registry: async () => null };
    assert.match((await faults(gone)).join('\n'), /broken registry: there is none at .* has lost it/);
    const unreadable = { registry: async () => Promise.reject(new Error('EACCES')) };
    assert.match(
      (await faults(unreadable)).join('\n'),
      /broken registry: .*it cannot be read: EACCES → run this as the user/,
    );
    const behind = registry({ users: { ...USERS, proxies: [{ ...PROXY, appliedRevision: 4 }] } });
    await assertFaults([/^warning registry: load balancer p \(pid 22\) is 3 revisions behind/], behind);
    await assertFaults(
      [/^warning clock: it knows of something 60 s from now/],
      registry({ lastEventAt: NOW + 60_000 }),
    );
  });

  it('tells of instances that nobody looks after, and of what processes have left that were killed', async () => {
    const stray = { instanceProcesses: async () => [{ instanceId: 'web-9', group: 99 }] };
    await assertFaults([/^warning leftovers: web-9 \(process group 99\) runs, .* → end it: kill -TERM -- -99$/], stray);
    await assertFaults([/^hint leftovers: 2 instances run without a manager/], STOPPED);
    const dead = { ...PROXY, id: 'q', pid: 5, heartbeatAt: NOW - 6_000 };
    await assertFaults([/^hint leftovers: .*q \(pid 5\)/], registry({ users: { ...USERS, proxies: [PROXY, dead] } }));
    const names = async (folder: string) =>
      folder.endsWith('/run') ? ['load-balancer-5.json', 'x.json'] : ['registry.db.restoring', 'registry.db'];
    const left = /^hint leftovers: .*data\/registry\.db\.restoring, \S*run\/load-balancer-5\.json → /;
    await assertFaults([left], { names, isAlive: (pid) => pid !== 5 });
  });

  it('tells of rights and room in the data folder', async () => {
    await assertFaults([/^warning data folder: .*mode 640.* → chmod 600/], {
      file: async (path) => (path.endsWith('.db') ? { ...FILE, mode: 0o640 } : WELL.file(path)),
    });
    await assertFaults([/^broken data folder: \S+logs belongs to user 1000 and cannot be written by user 1000/], {
      may: async (access, path) => access !== 'write' || !path.endsWith('/logs'),
    });
    await assertFaults([/^warning data folder: only 500 MiB free/], { freeBytes: async () => 500 * 1024 ** 2 });
    await assertFaults([/^broken data folder: only 5 MiB free/], { freeBytes: async () => 5 * 1024 ** 2 });
  });

  it('tells when nobody would be told, or the way there is closed', async () => {
    await assertFaults([/^hint alerts: nobody is told/], {}, { alerts: {} });
    const closed = { connect: async (host: string, port: number) => `${host} ${port}` };
    await assertFaults([/^warning alerts: alerts\.webhooks\[0\]: .* cannot be reached \(example\.org 443\)/], closed);
  });

  it('asks etcd where the registry is in it, and every member', async () => {
    const endpoints = ['http://10.0.0.5:2379', 'http://10.0.0.6:2379'];
    const config = { registry: { driver: 'etcd', etcd: { endpoints } } };
    const of = async (changes: Partial<EtcdFacts>, others: Partial<Machine> = {}) => {
      const all = await faults({ etcd: async () => ({ ...ETCD, ...changes }), ...others }, config);
      return all.filter((line) => / (registry|server manager|leftovers):/.test(line)).join('\n');
    };
    assert.equal(await of({}, { registry: async () => assert.fail('there is no file') }), '');
    const silent = [{ endpoint: endpoints[1] ?? '', reason: 'connect ECONNREFUSED.' }];
    assert.match(
      await of({ silent }),
      /^warning registry: etcd at http:\/\/10\.0\.0\.6:2379 does not answer: connect .*$/,
    );
    assert.match(await of({ silent, content: null }, STOPPED), /^broken registry: etcd at .*etcdctl.*$/);
    const behind = [{ ...PROXY, appliedRevision: 5, inFlight: new Map<string, number>() }];
    assert.match(await of({ proxies: behind }), /^warning registry: .* is 2 revisions behind .*$/);
    const copying = { from: 'data/registry.db', pid: 7, host: 'a', startedAt: NOW };
    const halfCopied = await of({ copying, instanceIds: [] });
    assert.match(halfCopied, /^broken registry: data\/registry\.db is being copied into etcd by process 7 .*$/m);
    assert.doesNotMatch(halfCopied, /leftovers/, 'what runs is known to the registry that is copied');
    assert.match(await of({ managerPid: 5 }), /^warning server manager: pid 21 .* another registry .*$/);
  });

  it('tells of certificates that end soon', async () => {
    const secure = { name: 'b', servers: ['10.0.0.7:443'], healthCheck: { type: 'https' }, routes: [{ path: '/b' }] };
    const config = { services: [...CONFIG.services, secure] };
    assert.deepEqual(await faults({}, config), []);
    const ending = (days: number) => ({ validTo: async () => NOW + days * DAY_MS });
    await assertFaults([/^warning certificate: 10\.0\.0\.7:443: valid for 3 more days/], ending(3), config);
    await assertFaults([/^broken certificate: 10\.0\.0\.7:443: expired 2 days ago/], ending(-2), config);
    const silent = { validTo: async () => Promise.reject(new Error('closed')) };
    await assertFaults([/^warning certificate: .* shows none: closed/], silent, config);
  });

  it('tells of limits that are too low', async () => {
    const files = (count: string) => proc({ 'self/limits': `Max open files   ${count}   ${count}   files` });
    assert.deepEqual(await faults(files('unlimited')), []);
    await assertFaults(
      [/^warning open files: 1024 a process, enough for about 156 requests .*ulimit -n/],
      files('1024'),
    );
    await assertFaults([/^broken open files: 512 a process/], files('512'));
    const many = { services: [{ ...CONFIG.services[0], maxConnections: 50_000 }] };
    await assertFaults([/^warning open files: .*maxConnections and queues allow 101000/], {}, many);
    const kernel = proc({ 'sys/net/core/somaxconn': '128', 'sys/net/ipv4/ip_local_port_range': '50000 50999' });
    await assertFaults([/^hint kernel: only 128 /, /^hint kernel: only 1000 ports/], kernel);
    await assertFaults([/^hint Node: 24\.2\.0; heimdall is tested on Node 26/], { nodeVersion: '24.2.0' });
  });

  it('prints what to do below what is wrong, and counts at the end', () => {
    const text = doctorText(
      [
        { level: 'well', about: 'Node', message: '26' },
        { level: 'broken', about: 'port 8080', message: 'held', advice: 'stop it' },
      ],
      plain,
    );
    assert.equal(
      text,
      'well     Node       26\nbroken   port 8080  held\n                    → stop it\n\n1 broken, 1 well\n',
    );
  });
});
