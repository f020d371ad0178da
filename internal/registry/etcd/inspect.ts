import type { EtcdSettings } from '../../model/registry-settings.ts';
import { HEARTBEAT_LIMIT_MS, type ProxyRecord } from '../registry.ts';
import { reasonOf } from './faults.ts';
import { FORM } from './forms.ts';
import { NAMES } from './names.ts';
import { valueIfValid } from './parse.ts';
import { type Entry, Store } from './store.ts';

export interface EtcdFacts {
  /** Members that do not answer, and why. */
  readonly silent: readonly { readonly endpoint: string; readonly reason: string }[];
  /** Null when no member answers. */
  readonly content: {
    readonly revision: number;
    readonly services: number;
    readonly instances: number;
    readonly deployments: number;
    readonly events: number;
  } | null;
  /** Another registry that is being copied into it, or was when that broke off; null: none. */
  readonly copying: {
    readonly from: string;
    readonly pid: number;
    readonly host: string;
    readonly startedAt: number;
  } | null;
  /** The pid of the manager that has the node; null: nobody has it. */
  readonly managerPid: number | null;
  readonly proxies: readonly ProxyRecord[];
  readonly instanceIds: readonly string[];
}

/** Looks at every member, and at what is kept, without changing anything. @param now - epoch milliseconds. */
export async function inspectEtcd(etcd: EtcdSettings, node: string, now: number): Promise<EtcdFacts> {
  const faults = await Promise.all(etcd.endpoints.map((endpoint) => faultOfMember({ ...etcd, endpoints: [endpoint] })));
  const silent = faults.flatMap((reason, index) => {
    return reason === null ? [] : [{ endpoint: etcd.endpoints[index] ?? '', reason }];
  });
  const nothing = { content: null, copying: null, managerPid: null, proxies: [], instanceIds: [] };
  if (silent.length === etcd.endpoints.length) return { silent, ...nothing };
  const store = new Store(etcd);
  try {
    return { silent, ...(await read(store, node, now)) };
  } finally {
    await store.close();
  }
}

async function faultOfMember(etcd: EtcdSettings): Promise<string | null> {
  const store = new Store(etcd);
  try {
    await store.members.once((client, options) =>
      client.kv.range({ key: Buffer.from(store.fullName(NAMES.id)) }, options),
    );
    return null;
  } catch (error) {
    return reasonOf(error);
  } finally {
    await store.close();
  }
}

async function read(store: Store, node: string, now: number): Promise<Omit<EtcdFacts, 'silent'>> {
  const [{ entries }, told] = await Promise.all([store.list('state/'), store.list(NAMES.proxy(''))]);
  const of = (beginning: string) => entries.filter(({ name }) => name.startsWith(beginning));
  const names = new Set(entries.map(({ name }) => name));
  const services = new Set(of('state/services/').map(({ name }) => name.split('/')[3]));
  const instances = of('state/instances/').flatMap((entry) => valueIfValid(FORM.instance, entry)?.instance ?? []);
  const manager = entries.find(({ name }) => name === NAMES.manager(node));
  const copying = entries.find(({ name }) => name === NAMES.copying);
  return {
    content: {
      revision: entries.find(({ name }) => name === NAMES.revision)?.modified ?? 0,
      services: services.size,
      instances: instances.length,
      deployments: of('state/deployments/').length,
      events: await store.count('kept/events/'),
    },
    copying: (copying && valueIfValid(FORM.copying, copying)) ?? null,
    managerPid: (manager && valueIfValid(FORM.manager, manager)?.pid) ?? null,
    proxies: told.entries.flatMap((entry) => proxyOf(entry, names, now) ?? []),
    instanceIds: instances.map(({ id }) => id),
  };
}

function proxyOf(entry: Entry, names: ReadonlySet<string>, now: number): ProxyRecord | null {
  const told = valueIfValid(FORM.proxy, entry);
  if (told === undefined) return null;
  const { id, pid, startedAt, appliedRevision, inFlight } = told;
  const heartbeatAt = names.has(NAMES.present(id)) ? now : now - HEARTBEAT_LIMIT_MS - 1;
  return { id, pid, startedAt, appliedRevision, heartbeatAt, inFlight: new Map(Object.entries(inFlight)) };
}
