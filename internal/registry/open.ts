import type { Logger } from '../../pkg/logger/logger.ts';
import type { RegistrySettings } from '../model/registry-settings.ts';
import type { ProxyRegistry, RegistryWriter } from './registry.ts';
import { openManagerRegistry } from './sqlite/open-manager.ts';
import { openProxyRegistry } from './sqlite/open-proxy.ts';

interface ManagerOptions {
  /** Whose manager it is. */
  readonly node: string;
  readonly log: Logger;
}

interface ProxyOptions {
  /** Names the load balancer among those on the same registry. */
  readonly proxyId: string;
  /** The name of its machine. */
  readonly node?: string;
  readonly log: Logger;
  /** Whether a registry that is missing is made; true by default. One in etcd always is. */
  readonly creates?: boolean;
}

/**
 * The manager's side of the registry that the configuration names.
 * @throws {HeimdallError} MANAGER_RUNNING, REGISTRY_BROKEN, REGISTRY_UNAVAILABLE; nothing stays locked then.
 */
export async function openManager({ path, etcd }: RegistrySettings, options: ManagerOptions): Promise<RegistryWriter> {
  if (etcd === undefined) return openManagerRegistry({ path, ...options });
  const { openEtcdManager } = await import('./etcd/open-manager.ts');
  return openEtcdManager({ etcd, ...options });
}

/** The load balancer's side. Never fails because of the registry: see `ProxyRegistry`. */
export async function openProxy({ path, etcd }: RegistrySettings, options: ProxyOptions): Promise<ProxyRegistry> {
  if (etcd === undefined) return openProxyRegistry({ path, pid: process.pid, ...options });
  const { openEtcdProxy } = await import('./etcd/open-proxy.ts');
  return openEtcdProxy({ etcd, pid: process.pid, ...options });
}
