import type { Logger } from '../../../pkg/logger/logger.ts';
import type { EtcdSettings } from '../../model/registry-settings.ts';
import { Mirror } from './mirror.ts';
import { EtcdProxyRegistry } from './proxy-registry.ts';
import { Store } from './store.ts';

interface ProxyRegistryOptions {
  readonly etcd: EtcdSettings;
  /** Names this load balancer among those on the same registry. */
  readonly proxyId: string;
  readonly pid: number;
  /** The name of its machine; default: none. */
  readonly node?: string | undefined;
  /** Epoch milliseconds; default: the system's clock. */
  readonly clock?: () => number;
  readonly log?: Logger | undefined;
}

/**
 * The load balancer's side of the registry in etcd. Never fails: members are called when they are first needed, and until
 * that succeeds every operation rejects and tries anew at the next call.
 */
export function openEtcdProxy({
  etcd,
  proxyId,
  pid,
  node,
  clock = Date.now,
  log,
}: ProxyRegistryOptions): EtcdProxyRegistry {
  const store = new Store(etcd);
  const mirror = new Mirror({ store, beginning: 'state/', log });
  return new EtcdProxyRegistry({ store, mirror, proxyId, pid, node: node ?? null, clock, log });
}
