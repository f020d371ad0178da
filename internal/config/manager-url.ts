import { authority } from '../model/address.ts';
import { isLoopback, isWildcard } from './host.ts';
import type { Config } from './schema.ts';

/**
 * Where the managers of other nodes reach the one of this configuration: what it says, or the address on which that listens,
 * when others reach it; null: nowhere.
 */
export function managerUrlOf({ manager, node }: Pick<Config, 'manager' | 'node'>): string | null {
  if (manager.url !== undefined) return manager.url;
  const host = isWildcard(manager.host) ? node.address : manager.host;
  return isLoopback(host) ? null : `http://${authority(host, manager.port)}`;
}
