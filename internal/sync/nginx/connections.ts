import { readdir, readFile, readlink } from 'node:fs/promises';
import { canonical } from '../canonical.ts';
import type { ResolvedServer } from '../resolved.ts';
import type { RunningNginx } from './processes.ts';
import { parseTcpTable, type TcpEntry } from './tcp-table.ts';

/** Sockets of a process by inode; null: this user may not look. */
type Sockets = ReadonlySet<string> | null;

export interface ConnectionPicture {
  readonly entries: readonly TcpEntry[];
  readonly workers: readonly { readonly sockets: Sockets; readonly isRetiring: boolean }[];
}

/** The connections of an nginx, as far as this user may see them. */
export async function connectionsOf({ master, workers, retiring }: RunningNginx): Promise<ConnectionPicture> {
  const tables = ['tcp', 'tcp6'].map((name) => readFile(`/proc/${master}/net/${name}`, 'latin1').catch(() => ''));
  const look = async (pid: number, isRetiring: boolean) => ({ sockets: await socketsOf(pid), isRetiring });
  const all = [...workers.map((pid) => look(pid, false)), ...retiring.map((pid) => look(pid, true))];
  const [found, texts] = await Promise.all([Promise.all(all), Promise.all(tables)]);
  return { entries: texts.flatMap(parseTcpTable), workers: found };
}

/**
 * What runs on servers, or may yet get there, by id: connections to them, and clients of a worker that finishes what it has,
 * for whom it has no connection to any server: it may be reading their request, and would send it where it has always sent them.
 * Where nobody may look into the workers, every connection of this host counts.
 */
export function inFlightOf(
  { entries, workers }: ConnectionPicture,
  servers: readonly ResolvedServer[],
): Map<string, number> {
  const mayLook = workers.every(({ sockets }) => sockets !== null);
  const isOurs = ({ inode }: TcpEntry) => !mayLook || workers.some(({ sockets }) => sockets?.has(inode));
  const open = entries.filter((entry) => entry.state === 'open' && isOurs(entry));
  const undecided = mayLook ? undecidedClients(entries, workers) : 0;
  return new Map(
    servers.map(({ id, addresses, port }) => {
      const targets = new Set(addresses.map(canonical));
      const connected = open.filter((entry) => entry.remotePort === port && targets.has(entry.remoteAddress));
      return [id, connected.length + undecided];
    }),
  );
}

function undecidedClients(entries: readonly TcpEntry[], workers: ConnectionPicture['workers']): number {
  const listening = new Set(entries.filter(({ state }) => state === 'listening').map(({ localPort }) => localPort));
  let undecided = 0;
  for (const { sockets, isRetiring } of workers) {
    if (!isRetiring) continue;
    const own = entries.filter(({ state, inode }) => state === 'open' && sockets?.has(inode));
    const clients = own.filter(({ localPort }) => listening.has(localPort)).length;
    undecided += Math.max(0, clients - (own.length - clients));
  }
  return undecided;
}

async function socketsOf(pid: number): Promise<Sockets> {
  try {
    const names = await readdir(`/proc/${pid}/fd`);
    const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
    return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isGone ? new Set() : null;
  }
}
