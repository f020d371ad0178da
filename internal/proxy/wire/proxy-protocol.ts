import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { plainAddress } from '../client-address.ts';
import { crc32c } from './crc32c.ts';

/** Why the beginning of a connection is no header of the PROXY protocol (HAProxy's doc/proxy-protocol.txt). */
export type ProxyProtocolFault =
  /** It begins neither with `PROXY ` nor with the signature of version 2. */
  | 'proxy-header-missing'
  /** §2.1: no CRLF within 107 octets. */
  | 'proxy-line-too-long'
  /** §2.1: not the six parts with one space between them, or CR or LF alone. */
  | 'proxy-line-invalid'
  /** §2.1: an address that is none of its family, or has leading zeros. */
  | 'proxy-address-invalid'
  /** §2.1: above 65535, or with leading zeros. */
  | 'proxy-port-invalid'
  /** §2.2: another version than 2, or another command than LOCAL and PROXY. */
  | 'proxy-command-invalid'
  /** §2.2: an address family or a transport that is not assigned. */
  | 'proxy-family-invalid'
  /** §2.2: shorter than the addresses of its family. */
  | 'proxy-header-too-short'
  /** Longer than 4 KiB. */
  | 'proxy-header-too-long'
  /** §2.2: an additional value that reaches beyond the header. */
  | 'proxy-value-invalid'
  /** §2.2.3: the checksum is not that of the header. */
  | 'proxy-checksum-wrong';

interface Endpoint {
  /** Canonical text; an IPv4 address in IPv6's clothes is the IPv4 address. */
  readonly address: string;
  readonly port: number;
}

export interface ProxiedConnection {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

type Header = { readonly length: number; readonly connection: ProxiedConnection | null };

const V1_START = Buffer.from('PROXY ', 'latin1');
/** Including CRLF. */
const V1_LONGEST = 107;
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Signature, version and command, family and transport, length. */
const V2_FIXED = 16;
/** Octets after the fixed part. */
const V2_LONGEST = 4_096;

const LOCAL = 0x20;
const PROXY = 0x21;
const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;
const FAMILY_UNIX = 3;
const TRANSPORT_DATAGRAM = 2;
/** Octets of both addresses with their ports, by family. */
const ADDRESSES_LENGTH: readonly number[] = [0, 12, 36, 216];

/** Octets before the value of an additional value: type, length. */
const VALUE_HEAD = 3;
const CHECKSUM_TYPE = 0x03;

/**
 * Reads the header, version 1 or 2, that a proxy in front of us sends before all else on a connection. It must be
 * there: a header that may be missing would let every client say who it is (§5).
 */
export class ProxyProtocolReader {
  fault: ProxyProtocolFault | null = null;
  /**
   * Who is connected to whom, once `scan` has returned a position. Null when the sender speaks for itself (LOCAL) or
   * cannot tell (UNKNOWN, UNSPEC, a UNIX socket): then the addresses of the connection itself count.
   */
  connection: ProxiedConnection | null = null;
  #held = Buffer.alloc(0);
  #heldLength = 0;

  /**
   * Reads `chunk[from, to)`.
   * @returns the index after the header's last octet; -1 when more must come, or when `fault` tells why it never will.
   */
  scan(chunk: Buffer, from: number, to: number): number {
    if (this.fault !== null) return -1;
    const before = this.#heldLength;
    const header = readHeader(this.#hold(chunk, from, to));
    if (header === null) return -1;
    if (typeof header === 'string') {
      this.fault = header;
      return -1;
    }
    this.connection = header.connection;
    return from + header.length - before;
  }

  #hold(chunk: Buffer, from: number, to: number): Buffer {
    const longest = V2_FIXED + V2_LONGEST;
    if (this.#held.length === 0) this.#held = Buffer.allocUnsafe(longest);
    this.#heldLength += chunk.copy(this.#held, this.#heldLength, from, Math.min(to, from + longest - this.#heldLength));
    return this.#held.subarray(0, this.#heldLength);
  }
}

/** @returns null while octets are missing. */
function readHeader(octets: Buffer): Header | ProxyProtocolFault | null {
  if (startsLike(octets, V1_START)) return octets.length < V1_START.length ? null : readLine(octets);
  if (!startsLike(octets, V2_START)) return 'proxy-header-missing';
  return octets.length <= V2_START.length ? null : readBinary(octets);
}

function startsLike(octets: Buffer, start: Buffer): boolean {
  const length = Math.min(octets.length, start.length);
  return octets.compare(start, 0, length, 0, length) === 0;
}

function readLine(octets: Buffer): Header | ProxyProtocolFault | null {
  const text = octets.toString('latin1', 0, V1_LONGEST);
  const lineEnd = text.search(/[\r\n]/);
  if (lineEnd === -1 || lineEnd === V1_LONGEST - 1) return octets.length < V1_LONGEST ? null : 'proxy-line-too-long';
  if (lineEnd + 1 === octets.length && text[lineEnd] === '\r') return null;
  if (!text.startsWith('\r\n', lineEnd)) return 'proxy-line-invalid';
  const length = lineEnd + 2;
  const [, family, ...parts] = text.slice(0, lineEnd).split(' ');
  if (family === 'UNKNOWN') return { length, connection: null };
  if ((family !== 'TCP4' && family !== 'TCP6') || parts.length !== 4) return 'proxy-line-invalid';
  const [sourceAddress = '', destinationAddress = '', ...ports] = parts;
  const isAddress = family === 'TCP4' ? isIPv4 : isPlainIPv6;
  if (!isAddress(sourceAddress) || !isAddress(destinationAddress)) return 'proxy-address-invalid';
  if (!ports.every((port) => /^(0|[1-9]\d{0,4})$/.test(port) && Number(port) <= 65_535)) return 'proxy-port-invalid';
  const [sourcePort, destinationPort] = ports.map(Number);
  const source = { address: canonical(sourceAddress), port: sourcePort ?? 0 };
  const destination = { address: canonical(destinationAddress), port: destinationPort ?? 0 };
  return { length, connection: { source, destination } };
}

/** Without a zone, which means something on one host only. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function readBinary(octets: Buffer): Header | ProxyProtocolFault | null {
  const command = octets[12];
  if (command !== LOCAL && command !== PROXY) return 'proxy-command-invalid';
  if (octets.length < V2_FIXED) return null;
  const length = octets.readUInt16BE(14);
  if (length > V2_LONGEST) return 'proxy-header-too-long';
  const header = octets.subarray(0, V2_FIXED + length);
  if (command === LOCAL) return header.length < V2_FIXED + length ? null : { length: header.length, connection: null };
  const family = header.readUInt8(13) >> 4;
  const transport = header.readUInt8(13) & 0xf;
  if (family > FAMILY_UNIX || transport > TRANSPORT_DATAGRAM) return 'proxy-family-invalid';
  const valuesStart = V2_FIXED + (ADDRESSES_LENGTH[family] ?? 0);
  if (V2_FIXED + length < valuesStart) return 'proxy-header-too-short';
  if (header.length < V2_FIXED + length) return null;
  const fault = family === 0 ? null : checkValues(header, valuesStart);
  if (fault !== null) return fault;
  return { length: header.length, connection: transport === 0 ? null : addressesOf(header, family) };
}

/** Walks over the additional values (type, length, value), which we do not need, for the checksum among them. */
function checkValues(header: Buffer, start: number): ProxyProtocolFault | null {
  let checksumAt = -1;
  for (let at = start; at < header.length; ) {
    if (at + VALUE_HEAD > header.length) return 'proxy-value-invalid';
    const length = header.readUInt16BE(at + 1);
    const end = at + VALUE_HEAD + length;
    if (end > header.length) return 'proxy-value-invalid';
    if (header[at] === CHECKSUM_TYPE) {
      if (length !== 4 || checksumAt !== -1) return 'proxy-value-invalid';
      checksumAt = at + VALUE_HEAD;
    }
    at = end;
  }
  if (checksumAt === -1) return null;
  const unsigned = Buffer.from(header).fill(0, checksumAt, checksumAt + 4);
  return crc32c(unsigned) === header.readUInt32BE(checksumAt) ? null : 'proxy-checksum-wrong';
}

function addressesOf(header: Buffer, family: number): ProxiedConnection | null {
  if (family !== FAMILY_IPV4 && family !== FAMILY_IPV6) return null;
  const size = family === FAMILY_IPV4 ? 4 : 16;
  const addressAt = (at: number) => {
    const octets = header.subarray(at, at + size);
    return family === FAMILY_IPV4 ? octets.join('.') : canonical(octets.toString('hex').replace(/(.{4})(?!$)/g, '$1:'));
  };
  const ports = V2_FIXED + 2 * size;
  return {
    source: { address: addressAt(V2_FIXED), port: header.readUInt16BE(ports) },
    destination: { address: addressAt(V2_FIXED + size), port: header.readUInt16BE(ports + 2) },
  };
}

function canonical(address: string): string {
  return isIPv4(address) ? address : plainAddress(new SocketAddress({ address, family: 'ipv6' }).address);
}
