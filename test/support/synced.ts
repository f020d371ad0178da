import type { SyncedService } from '../../internal/sync/picture.ts';
import type { ResolvedServer } from '../../internal/sync/resolved.ts';

/** A server as a front gets it, named after its port. */
export function server(port: number, changes: Partial<ResolvedServer> = {}): ResolvedServer {
  const host = changes.host ?? '10.0.0.7';
  return { id: `web-${port}`, host, port, weight: 1, node: null, state: 'up', addresses: [host], ...changes };
}

export function service<T>(servers: readonly T[], changes: Partial<SyncedService> = {}) {
  return { name: 'web', algorithm: 'round-robin' as const, hashKey: 'ip+url', isPaused: false, ...changes, servers };
}
