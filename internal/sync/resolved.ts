import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { messageOf } from '../model/errors.ts';
import type { SyncedServer, SyncedService } from './picture.ts';

/** What a host may be made of: nothing that ends a word, a line or a block in somebody's configuration. */
const SAFE_HOST = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})$/;

export interface ResolvedServer extends SyncedServer {
  /** All addresses of the host. */
  readonly addresses: readonly string[];
}

export interface ResolvedService extends Omit<SyncedService, 'servers'> {
  readonly servers: readonly ResolvedServer[];
}

interface Resolved {
  readonly services: readonly ResolvedService[];
  /** Why servers are left out. */
  readonly warnings: readonly string[];
}

/**
 * Looks the hosts up. Those that have no address are left out: one unknown name would have nginx refuse all of its
 * configuration.
 */
export async function resolved(services: readonly SyncedService[]): Promise<Resolved> {
  const warnings: string[] = [];
  const leaveOut = ({ id }: SyncedServer, why: string): [] => {
    warnings.push(`${id} is left out: ${why}`);
    return [];
  };
  const found = services.map(async (service) => {
    const servers = service.servers.map(async (server) => {
      const { host } = server;
      if (isIP(host) !== 0 && !host.includes('%')) return [{ ...server, addresses: [host] }];
      if (!SAFE_HOST.test(host)) return leaveOut(server, `${JSON.stringify(host)} is neither an address nor a name`);
      try {
        const addresses = (await lookup(host, { all: true })).map(({ address }) => address);
        return [{ ...server, addresses }];
      } catch (error) {
        return leaveOut(server, messageOf(error));
      }
    });
    return { ...service, servers: (await Promise.all(servers)).flat() };
  });
  return { services: await Promise.all(found), warnings };
}
