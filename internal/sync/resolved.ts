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

/** The addresses that names had when they were last looked up. */
export type KnownNames = Map<string, readonly string[]>;

/**
 * Looks the hosts up. A name that cannot be looked up now goes on as the address that it had. One that never had any is
 * left out: one unknown name would have nginx refuse all of its configuration.
 * @param names - is kept up to date.
 */
export async function resolved(services: readonly SyncedService[], names: KnownNames): Promise<Resolved> {
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
        names.set(host, addresses);
        return [{ ...server, addresses }];
      } catch (error) {
        const addresses = names.get(host);
        const [address] = addresses ?? [];
        if (addresses === undefined || address === undefined) return leaveOut(server, messageOf(error));
        warnings.push(`${server.id} goes on as ${address}: ${messageOf(error)}`);
        return [{ ...server, host: address, addresses }];
      }
    });
    return { ...service, servers: (await Promise.all(servers)).flat() };
  });
  return { services: await Promise.all(found), warnings };
}
