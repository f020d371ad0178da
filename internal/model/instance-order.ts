import type { InstanceView } from './instance-view.ts';

/** By service, host and port. */
export function compareInstances(
  a: Pick<InstanceView, 'service' | 'host' | 'port'>,
  b: Pick<InstanceView, 'service' | 'host' | 'port'>,
): number {
  return compare(a.service, b.service) || compare(a.host, b.host) || a.port - b.port;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
