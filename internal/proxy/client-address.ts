import { BlockList, isIP } from 'node:net';

/** Decides whose `X-Forwarded-*` fields are believed. */
export class TrustedProxies {
  readonly #list = new BlockList();

  /** @param ranges - addresses and CIDR ranges, already validated. */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = '', prefix] = range.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  trusts(address: string): boolean {
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * The client's address: the peer itself, unless it is a trusted proxy; then the last address of `X-Forwarded-For`
   * that is no trusted proxy. A list is read from its end, because its beginning is whatever the client wrote.
   */
  clientAddress(peer: string, forwardedFor: string | undefined): string {
    let client = plainAddress(peer);
    const hops = forwardedFor?.split(',') ?? [];
    while (this.trusts(client)) {
      const hop = plainAddress(hops.pop()?.trim() ?? '');
      if (isIP(hop) === 0) break;
      client = hop;
    }
    return client;
  }
}

const MAPPED = /^::ffff:(?:([\d.]+)|([\da-f]{1,4}):([\da-f]{1,4}))$/i;

/** An IPv4 address that arrived on an IPv6 socket (`::ffff:10.0.0.1`, or `::ffff:a00:1`) is the IPv4 address. */
export function plainAddress(address: string): string {
  if (!address.startsWith('::')) return address;
  const [, dotted = '', high = '', low = ''] = MAPPED.exec(address) ?? [];
  if (isIP(dotted) === 4) return dotted;
  if (high === '') return address;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`;
}
