import type { EtcdSettings } from '../model/registry-settings.ts';
import type { Fault } from './issues.ts';
import type { Path } from './problem.ts';
import type { Sections } from './sections.ts';

const ETCD: Path = ['registry', 'etcd'];
/** What only an encrypted connection has a use for. */
const FILES = ['ca', 'cert', 'key'] as const;

/** Finds settings of the registry that do not go together. */
export function registryFaults({ registry }: Sections): Fault[] {
  if (!registry) return [];
  const { driver, etcd } = registry;
  if (driver === 'etcd' && etcd === undefined) {
    return [
      { path: ETCD, message: 'registry.driver "etcd" needs to know where etcd is: {"endpoints": ["http://…:2379"]}' },
    ];
  }
  if (driver !== 'etcd' && etcd !== undefined) {
    const message = `registry.driver "${driver}" has no use for it: set registry.driver to "etcd", or take this out`;
    return [{ path: ETCD, message }];
  }
  return etcd === undefined ? [] : etcdFaults(etcd);
}

function etcdFaults(etcd: EtcdSettings): Fault[] {
  const { endpoints, username, password, ca, cert, key } = etcd;
  const plain = endpoints.filter((endpoint) => endpoint.startsWith('http:'));
  const faults: Fault[] = [];
  const fault = (field: keyof EtcdSettings, message: string) => faults.push({ path: [...ETCD, field], message });
  if (plain.length > 0 && plain.length < endpoints.length)
    fault('endpoints', 'expected all with https:// or all with http://');
  if (plain.length > 0) {
    for (const field of FILES.filter((name) => etcd[name] !== undefined)) {
      fault(field, 'there is no encryption with http://: write https:// in registry.etcd.endpoints, or take this out');
    }
  }
  if (cert !== undefined && key === undefined) fault('key', 'registry.etcd.cert needs its private key');
  if (key !== undefined && cert === undefined) fault('cert', 'registry.etcd.key needs its certificate');
  if (cert !== undefined && ca === undefined)
    fault('ca', 'a client certificate needs the one that the members are checked with');
  if (password !== undefined && username === undefined) fault('username', 'registry.etcd.password needs a user name');
  if (username !== undefined && password === undefined) fault('password', 'registry.etcd.username needs a password');
  return faults;
}
