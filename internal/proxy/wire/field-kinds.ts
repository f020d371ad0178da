/** The fields that this engine reads, removes or replaces; every other one is `other` and passes as it is. */
export const FIELD = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  upgrade: 5,
  expect: 6,
  te: 7,
  trailer: 8,
  /** Hop-by-hop by name, with no other meaning here, such as `Proxy-Authorization`. */
  hopByHop: 9,
  requestId: 10,
  forwardedFor: 11,
  forwardedProto: 12,
  forwardedHost: 13,
  forwardedPort: 14,
  /** `Forwarded`, `X-Real-IP`: believed from trusted proxies only. */
  clientClaim: 15,
  /** Another spelling, with `_`, of one of these: gateways such as WSGI's would take it for that. */
  disguised: 16,
  keepAlive: 17,
  traceparent: 18,
  tracestate: 19,
} as const;

interface Named {
  readonly name: string;
  readonly octets: Uint8Array;
  readonly kind: number;
}

/** Names in lower case, by their length: for most fields the length alone tells that they are none of these. */
const BY_LENGTH = byLength([
  ['te', FIELD.te],
  ['host', FIELD.host],
  ['expect', FIELD.expect],
  ['trailer', FIELD.trailer],
  ['upgrade', FIELD.upgrade],
  ['forwarded', FIELD.clientClaim],
  ['x-real-ip', FIELD.clientClaim],
  ['connection', FIELD.connection],
  ['keep-alive', FIELD.keepAlive],
  ['tracestate', FIELD.tracestate],
  ['traceparent', FIELD.traceparent],
  ['x-request-id', FIELD.requestId],
  ['content-length', FIELD.contentLength],
  ['x-forwarded-for', FIELD.forwardedFor],
  ['x-forwarded-host', FIELD.forwardedHost],
  ['x-forwarded-port', FIELD.forwardedPort],
  ['proxy-connection', FIELD.hopByHop],
  ['transfer-encoding', FIELD.transferEncoding],
  ['x-forwarded-proto', FIELD.forwardedProto],
  ['proxy-authenticate', FIELD.hopByHop],
  ['proxy-authorization', FIELD.hopByHop],
]);
/** The bit that makes a letter lower-case; of what else a name consists of, it makes no letter. */
const LOWER_CASE = 0x20;
const UNDERSCORE = 0x5f;
const DASH = 0x2d;

/**
 * Which field a name is.
 * @param end - exclusive.
 * @returns one of `FIELD`.
 */
export function fieldKind(octets: Uint8Array, start: number, end: number): number {
  const candidates = BY_LENGTH[end - start];
  if (candidates === undefined) return FIELD.other;
  for (let i = 0; i < candidates.length; i += 1) {
    const candidate = candidates[i];
    if (candidate === undefined) break;
    const likeness = likenessOf(octets, start, candidate.octets);
    if (likeness !== 'none') return likeness === 'same' ? candidate.kind : FIELD.disguised;
  }
  return FIELD.other;
}

function likenessOf(octets: Uint8Array, start: number, name: Uint8Array): 'same' | 'disguised' | 'none' {
  let likeness: 'same' | 'disguised' = 'same';
  for (let i = 0; i < name.length; i += 1) {
    const octet = octets[start + i] ?? 0;
    if ((octet | LOWER_CASE) === name[i]) continue;
    if (octet !== UNDERSCORE || name[i] !== DASH) return 'none';
    likeness = 'disguised';
  }
  return likeness;
}

/** Whether `name`, in lower case, is at `start`, in whatever case. */
export function hasName(text: string, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i += 1) {
    const code = text.charCodeAt(start + i);
    const lower = code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
    if (lower !== name.charCodeAt(i)) return false;
  }
  return true;
}

function byLength(names: readonly (readonly [name: string, kind: number])[]): readonly (readonly Named[])[] {
  const named = names.map(([name, kind]) => ({ name, octets: Buffer.from(name, 'latin1'), kind }));
  const longest = Math.max(...named.map(({ name }) => name.length));
  return Array.from({ length: longest + 1 }, (_, length) => named.filter(({ name }) => name.length === length));
}
