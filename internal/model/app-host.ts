import { z } from 'zod';

const EXPECTED = 'expected an IP address (IPv6 without brackets) or a host name, without a port';
const IPV4 = /^(\d+)\.(\d+)\.\d+\.\d+$/;
/** An IPv4 address as IPv6 has it. */
const MAPPED = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/;
const LOOPBACK = /^(?:127\.|::1$|localhost\.?$)/;

/**
 * Where load balancers reach an app: an IP address (IPv6 without brackets) or a host name, in one spelling for each address.
 * Link-local addresses are none that can be announced: below them clouds give out credentials.
 */
export const AppHostSchema = z
  .string()
  .toLowerCase()
  .regex(/^[a-z0-9_.:-]{1,253}$/, EXPECTED)
  .overwrite(oneSpelling)
  .refine((host) => host !== '', EXPECTED)
  .refine(isForOne, 'expected an address that others can connect to: no wildcard, link-local or multicast one');

/** Whether every machine means itself by it. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK.test(host);
}

/** As resolvers read it (`10.1` is `10.0.0.1`); empty: it is none. */
function oneSpelling(host: string): string {
  const written = host.includes(':') ? `[${host}]` : host;
  const name = URL.parse(`http://${written}/`)?.hostname.replace(/^\[|\]$/g, '') ?? '';
  const [, high, low] = MAPPED.exec(name) ?? [];
  if (high === undefined || low === undefined) return name;
  const octets = [high, low].flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]);
  return octets.join('.');
}

function isForOne(host: string): boolean {
  const [, first, second] = IPV4.exec(host) ?? [];
  if (first !== undefined) return first !== '0' && Number(first) < 224 && !(first === '169' && second === '254');
  return host !== '::' && !/^(?:fe[89ab][\da-f]|ff[\da-f]{2}):/.test(host);
}
