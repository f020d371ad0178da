import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** An IP address (IPv6 without brackets) or a host name; lower case once parsed. */
export const HostSchema = z
  .string()
  .toLowerCase()
  .refine(isHost, 'expected an IP address (IPv6 without brackets) or a host name, without a port');

/** One address or a range in CIDR form: `10.0.0.0/8`. */
export const NetworkSchema = z
  .string()
  .refine(isNetwork, 'expected an IP address or a range such as "10.0.0.0/8" or "fd00::/8"');

/** True when only this machine can reach a listener on `host`. A name other than `localhost` counts as reachable from outside. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** True of what stands for all addresses of a machine. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Whether two listeners on the same port and these hosts would be in each other's way. */
export function hostsOverlap(a: string, b: string): boolean {
  const isLocal = (host: string) => host === '127.0.0.1' || host === '::1';
  if (a === b || isWildcard(a) || isWildcard(b)) return true;
  return (a === 'localhost' && isLocal(b)) || (b === 'localhost' && isLocal(a));
}

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const labels = text.split('.');
  // A name whose last label is a number would be read as an IPv4 address.
  const isNumeric = /^\d+$/.test(labels.at(-1) ?? '');
  return text.length <= 253 && !isNumeric && labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,62})$/.test(label));
}

function isNetwork(text: string): boolean {
  const [, address = '', prefix] = /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && (prefix === undefined || Number(prefix) <= (family === 4 ? 32 : 128));
}
