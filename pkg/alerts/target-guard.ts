import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * What no message from the outside has business with: this machine, its networks, and ranges with a special meaning (the
 * registries of RFC 6890), among them those in which IPv6 wraps an IPv4 address. An IPv4-mapped IPv6 address counts as the
 * IPv4 address that it is.
 */
const SPECIAL = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/9',
  'ff00::/8',
];

/** Refuses to connect to addresses in private networks, whatever name they hide behind (server-side request forgery). */
export class TargetGuard {
  readonly #special = listOf(SPECIAL);
  readonly #allowed: BlockList;

  /** @param allowed - addresses and networks such as `10.1.0.0/16` that may be reached all the same. */
  constructor(allowed: readonly string[]) {
    this.#allowed = listOf(allowed);
  }

  mayReach(address: string): boolean {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    return this.#allowed.check(address, family) || !this.#special.check(address, family);
  }

  /**
   * Resolves when all addresses of the host may be reached; an address needs no look-up.
   * @param host - of a URL: an IPv6 address stands in brackets.
   * @throws when one of them may not, and when there is none.
   */
  async check(host: string): Promise<void> {
    this.checkAddress(host);
    if (isIP(bare(host)) !== 0) return;
    for (const address of await addressesOf(host)) if (!this.mayReach(address)) throw refusal(host, address);
  }

  /** The same for an address; what a name means is not asked. */
  checkAddress(host: string): void {
    const address = bare(host);
    if (isIP(address) !== 0 && !this.mayReach(address)) throw refusal(address, address);
  }

  /** For connections: what a name means is checked in the moment of its use, so that nobody can change it after `check`. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const bad = found?.find(({ address }) => !this.mayReach(address));
      const [first] = found ?? [];
      const fault = error ?? (bad && refusal(hostname, bad.address)) ?? null;
      if (fault !== null || first === undefined) callback(fault, '', 0);
      else if (options.all) callback(null, found satisfies LookupAddress[]);
      else callback(null, first.address, first.family);
    });
  };
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

function addressesOf(name: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    lookup(name, { all: true }, (error, found) => {
      if (error) reject(new Error(`${name} cannot be resolved (${error.code})`));
      else resolve(found.map(({ address }) => address));
    });
  });
}

function refusal(host: string, address: string): Error {
  const which = host === address ? address : `${host} is ${address}, which`;
  return new Error(
    `${which} is in a private or reserved network; a target there has to be in the configuration file, or its network in alerts.allowedNetworks`,
  );
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
