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
} as const;

interface Named {
  readonly name: string;
  /** Code of its first character. */
  readonly initial: number;
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
/** The bit that makes a letter lower-case. */
const LOWER_CASE = 0x20;

/**
 * Which field a name is.
 * @param end - exclusive.
 * @returns one of `FIELD`.
 */
export function fieldKind(text: string, start: number, end: number): number {
  const candidates = BY_LENGTH[end - start];
  if (candidates === undefined) return FIELD.other;
  const initial = text.charCodeAt(start) | LOWER_CASE;
  for (let i = 0; i < candidates.length; i += 1) {
    const candidate = candidates[i];
    if (candidate?.initial !== initial) continue;
    if (hasName(text, start, candidate.name)) return candidate.kind;
    if (text.slice(start, end).toLowerCase().replaceAll('_', '-') === candidate.name) return FIELD.disguised;
  }
  return FIELD.other;
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
  const named = names.map(([name, kind]) => ({ name, initial: name.charCodeAt(0), kind }));
  const longest = Math.max(...named.map(({ name }) => name.length));
  return Array.from({ length: longest + 1 }, (_, length) => named.filter(({ name }) => name.length === length));
}
