import { mock } from 'node:test';
import { NAMES } from '../../internal/registry/etcd/names.ts';
import { openEtcdManager } from '../../internal/registry/etcd/open-manager.ts';
import { openEtcdProxy } from '../../internal/registry/etcd/open-proxy.ts';
import { Store } from '../../internal/registry/etcd/store.ts';
import type { StoreUnderTest } from '../contract/registry.case.ts';
import type { EtcdCluster } from './etcd.ts';

/** What shows what others have written: in etcd that takes a moment. */
const READING = new Set<PropertyKey>([
  'snapshot',
  'own',
  'health',
  'proxies',
  'manager',
  'nodes',
  'leads',
  'traffic',
  'deployments',
  'deployment',
  'allDeployments',
  'deploymentParts',
  'releases',
  'watchedUntil',
  'saveHealth',
  'takeOver',
  'controls',
  'channels',
  'alerts',
  'silences',
  'renew',
  'expire',
  'announce',
  'acknowledge',
]);

/** Each is a commit of its own. */
const MOST_REQUEST_KEYS = 50;

interface Side {
  reach(revision: number): Promise<void>;
}

/** A registry of its own in the cluster, whose handles see at once what the others have done. */
export function etcdStore(cluster: EtcdCluster): StoreUnderTest {
  const etcd = cluster.settings();
  const probe = new Store(etcd);
  const leases = new FakedLeases(probe);
  const barriers = ['state', 'told'].map((area) => ({ put: `${area}/barrier`, value: 0 }));
  const barrier = (side: Side) => async () => side.reach(await probe.write(barriers));
  return {
    mostRequestKeys: MOST_REQUEST_KEYS,
    ordinal: async (revision) => ordinalOf(probe, revision),
    async openManager(clock) {
      const manager = await openEtcdManager({
        etcd,
        clock,
        node: 'a',
        patience: 0,
        mostRequestKeys: MOST_REQUEST_KEYS,
      });
      return seeingAll(manager, barrier(manager));
    },
    openProxy(proxyId, clock) {
      const proxy = openEtcdProxy({ etcd, proxyId, pid: process.pid, clock });
      return seeingAll(proxy, barrier(proxy));
    },
    pass: (ms) => leases.pass(ms),
    async dispose() {
      leases.dispose();
      await probe.close();
    },
  };
}

/** Every commit of desired state writes one key once: how often is its version. */
async function ordinalOf(store: Store, revision: number): Promise<number> {
  if (revision === 0) return 0;
  const key = Buffer.from(store.fullName(NAMES.revision));
  const { kvs } = await store.members.ask((client) => client.kv.range({ key, revision }));
  return Number(kvs[0]?.version ?? 0);
}

/** Lets leases run out without waiting for them. One that is kept alive begins anew. */
class FakedLeases {
  readonly #store: Store;
  /** By lease, in milliseconds. */
  readonly #passed = new Map<string, number>();
  readonly #spy = mock.method(Store.prototype, 'keepAlive');

  constructor(store: Store) {
    this.#store = store;
  }

  dispose(): void {
    this.#spy.mock.restore();
  }

  async pass(ms: number): Promise<void> {
    for (const {
      arguments: [lease],
    } of this.#spy.mock.calls)
      this.#passed.delete(lease);
    this.#spy.mock.resetCalls();
    const areas = await Promise.all(['state/', 'told/'].map((area) => this.#store.list(area)));
    const leases = new Set(areas.flatMap(({ entries }) => entries.flatMap(({ lease }) => lease ?? [])));
    for (const lease of leases) {
      const passed = (this.#passed.get(lease) ?? 0) + ms;
      this.#passed.set(lease, passed);
      const { grantedTTL } = await this.#store.members.ask((client) =>
        client.leaseClient.leaseTimeToLive({ ID: lease }),
      );
      if (passed > Number(grantedTTL) * 1_000) await this.#store.revoke(lease);
    }
  }
}

/** The handle, and all that it is made of, but for reading after a barrier. */
function seeingAll<T extends object>(target: T, barrier: () => Promise<void>): T {
  return new Proxy(target, {
    get(of, name) {
      const value: unknown = Reflect.get(of, name, of);
      if (typeof value === 'object' && value !== null) return seeingAll(value, barrier);
      if (typeof value !== 'function') return value;
      if (!READING.has(name)) return value.bind(of);
      return async (...given: unknown[]) => {
        await barrier();
        return value.apply(of, given);
      };
    },
  });
}
