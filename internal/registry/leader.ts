import { groupOf } from './front-id.ts';
import { isAlive, type ProxyRecord } from './registry.ts';

/**
 * Whether a load balancer speaks for all: the one of heimdall's own that has been alive the longest. Fronts see less, for requests that
 * fail are not told to them; where there are only fronts, the oldest of those that serve the same speaks.
 * @param proxies - as the registry tells of them.
 */
export function isLeader(proxyId: string, proxies: readonly ProxyRecord[], now: number): boolean {
  const alive = proxies.filter((proxy) => isAlive(proxy, now));
  const group = alive.some(({ id }) => groupOf(id) === null) ? null : groupOf(proxyId);
  const first = alive.find(({ id }) => groupOf(id) === group);
  return first === undefined || first.id === proxyId;
}
