import { SocketAddress } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/** One spelling for each address; IPv4 within IPv6 is IPv4. @param address - a numeric one. */
export function canonical(address: string): string {
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const { address: spelled } = new SocketAddress({ address, family });
  return MAPPED.exec(spelled)?.[1] ?? spelled;
}
