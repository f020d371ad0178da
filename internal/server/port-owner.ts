import { readdir, readlink } from 'node:fs/promises';
import { HAS_PROC, readProc } from './proc.ts';
import { allPids, membersOf } from './process-table.ts';

interface Listener {
  readonly port: number;
  /** Of the socket, as text. */
  readonly inode: string;
}

/** The state `LISTEN` in `/proc/net/tcp`. */
const LISTEN = '0A';
/** How Node calls its main thread. */
const MAIN_THREAD = /-MainThread$/;

/** The listening sockets in a `/proc/net/tcp` or `tcp6` table (proc_pid_net(5)): local address in hex, state, inode. */
export function parseListeners(table: string): Listener[] {
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [local, state, inode] = [fields[1], fields[3], fields[9]];
    const port = Number.parseInt(local?.split(':')[1] ?? '', 16);
    return state === LISTEN && inode && port > 0 ? [{ port, inode }] : [];
  });
}

/** Who listens on a port: `unknown` where `/proc` does not tell. */
type PortOwner = 'group' | 'stranger' | 'nobody' | 'unknown';

/** Whether the socket that listens on the port belongs to the process group, as it must before an instance is ready. */
export async function ownerOf(port: number, group: number): Promise<PortOwner> {
  if (!HAS_PROC) return 'unknown';
  const inodes = new Set((await listeners()).filter((listener) => listener.port === port).map(({ inode }) => inode));
  if (inodes.size === 0) return 'nobody';
  // The leader nearly always is the one that listens: the table of processes need not be read then.
  const leader = await socketsOf(group);
  if (leader === null) return 'unknown';
  if (leader.some((inode) => inodes.has(inode))) return 'group';
  for (const pid of await membersOf(group)) {
    if ((await socketsOf(pid))?.some((inode) => inodes.has(inode))) return 'group';
  }
  // A process that ends between the two looks has taken its socket along: that is no stranger's.
  return (await listeners()).some(({ inode }) => inodes.has(inode)) ? 'stranger' : 'nobody';
}

/** The ports on which the members of a process group listen, ascending. */
export async function portsOf(group: number): Promise<number[]> {
  const inodes = new Set<string>();
  for (const pid of await membersOf(group)) for (const inode of (await socketsOf(pid)) ?? []) inodes.add(inode);
  const ports = (await listeners()).filter(({ inode }) => inodes.has(inode)).map(({ port }) => port);
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

/** A program that listens on a port. */
export interface PortHolder {
  /** As the system shows it, such as `node`. */
  readonly name: string;
  readonly pid: number;
}

/** The program that listens on a port, for messages: `node (pid 123)`; null when that cannot be told. */
export async function describeListener(port: number): Promise<string | null> {
  const holder = await holderOf(port);
  return holder && `${holder.name} (pid ${holder.pid})`;
}

/** Null when nobody listens there, or it is not ours to see who does. */
export async function holderOf(port: number): Promise<PortHolder | null> {
  const inodes = new Set((await listeners()).filter((listener) => listener.port === port).map(({ inode }) => inode));
  if (inodes.size === 0) return null;
  for (const pid of await allPids()) {
    if (!(await socketsOf(pid))?.some((inode) => inodes.has(inode))) continue;
    const name = (await readProc(`${pid}/comm`))?.trim() ?? 'a program';
    return { name: name.replace(MAIN_THREAD, ''), pid };
  }
  return null;
}

/** On which somebody listens; none where there is no `/proc`. */
export async function listeningPorts(): Promise<ReadonlySet<number>> {
  return new Set((await listeners()).map(({ port }) => port));
}

async function listeners(): Promise<Listener[]> {
  if (!HAS_PROC) return [];
  const tables = await Promise.all([readProc('net/tcp'), readProc('net/tcp6')]);
  return tables.flatMap((table) => parseListeners(table ?? ''));
}

/** Inodes of the sockets a process holds open: none when it is gone, null when it is not ours to look at. */
async function socketsOf(pid: number): Promise<string[] | null> {
  try {
    const names = await readdir(`/proc/${pid}/fd`);
    const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
    return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EACCES' ? null : [];
  }
}
