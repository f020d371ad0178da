import type { RequestIds } from './request-ids.ts';

/** Field names and values in the order of the message: `[name, value, name, value, …]`, as Node's `rawHeaders`. */
export type RawFields = readonly string[];

/** RFC 9110 §7.6.1, and the older ones that must not pass either. */
const HOP_BY_HOP = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authorization',
]);

/** What `Connection` may not remove: with these gone the message would mean something else to the next hop. */
const NEVER_NOMINATED = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'authorization',
  'cookie',
  'set-cookie',
  'date',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'forwarded',
  'x-real-ip',
  'x-request-id',
]);

/** Whether a field named by `Connection`, in lower case, ends at this hop for that reason. */
export function isNominable(name: string): boolean {
  return name !== '' && !HOP_BY_HOP.has(name) && !NEVER_NOMINATED.has(name);
}

const FORWARDED = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port']);
const REPLACED = new Set([...FORWARDED, 'x-request-id', 'expect']);
/** RFC 9110 §6.5.1: in a trailer they would change what the message is after it was read. */
const NOT_IN_TRAILERS = new Set([
  'content-length',
  'host',
  'trailer',
  'set-cookie',
  'authorization',
  'cookie',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'expect',
  'forwarded',
  'location',
  'max-forwards',
  'range',
  'x-real-ip',
  'x-request-id',
  ...FORWARDED,
]);
const TRACE_CONTEXT = new Set(['traceparent', 'tracestate']);
const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;
export const VIA = '1.1 heimdall';

/** All values of a field, in order; `name` in lower case. */
export function valuesOf(fields: RawFields, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]?.toLowerCase() === name) values.push(fields[i + 1] ?? '');
  }
  return values;
}

/** Copies the fields that go on to the next hop, without those that `drop` (given a name in lower case) tells to leave out. */
export function endToEndFields(fields: RawFields, drop: (name: string) => boolean = () => false): string[] {
  const nominated = new Set(
    valuesOf(fields, 'connection')
      .flatMap((value) => value.split(','))
      .map((token) => token.trim().toLowerCase())
      .filter((token) => !NEVER_NOMINATED.has(token)),
  );
  const kept: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || nominated.has(lower) || drop(lower)) continue;
    kept.push(name, fields[i + 1] ?? '');
  }
  return kept;
}

export interface Forwarding {
  /** The address of the connection's other end. */
  readonly peer: string;
  /** Whether that end may speak for others. */
  readonly trusted: boolean;
  readonly protocol: 'http' | 'https';
  /** The local port the request came in on. */
  readonly port: number;
  readonly host: string;
  readonly requestId: string;
  /** Whether the body goes on in chunks: without them nothing can follow it, and `Trailer` must not announce it. */
  readonly chunked: boolean;
  /** Null: what the client says of a trace passes as any other field. */
  readonly trace: {
    readonly traceparent: string;
    /** The `tracestate`; empty: none. */
    readonly state: string;
  } | null;
}

/**
 * The fields of the request as the upstream gets them: hop-by-hop fields gone, `X-Forwarded-*` appended to what a
 * trusted proxy said and overwritten for anybody else, `Via` and `X-Request-Id` set; everything else untouched, in order.
 */
export function requestFields(fields: RawFields, forwarding: Forwarding): string[] {
  const { trusted, chunked, trace } = forwarding;
  const kept = endToEndFields(fields, (name) => {
    // Gateways such as WSGI's take `_` and `-` for the same: X_Forwarded_For would speak beside ours.
    if (REPLACED.has(name.replaceAll('_', '-'))) return true;
    if (trace !== null && TRACE_CONTEXT.has(name)) return true;
    return ((name === 'forwarded' || name === 'x-real-ip') && !trusted) || (name === 'trailer' && !chunked);
  });
  const believed = (name: string) => (trusted ? valuesOf(fields, name).join(', ') : '');
  const forwardedFor = believed('x-forwarded-for');
  if (valuesOf(fields, 'te').some((value) => /(^|,)\s*trailers\s*(,|$)/i.test(value))) kept.push('TE', 'trailers');
  // An HTTP/1.0 request may name its host in the target alone.
  if (forwarding.host !== '' && valuesOf(fields, 'host').length === 0) kept.push('Host', forwarding.host);
  if (trace !== null) kept.push('traceparent', trace.traceparent);
  if (trace !== null && trace.state !== '') kept.push('tracestate', trace.state);
  kept.push(
    'X-Forwarded-For',
    forwardedFor ? `${forwardedFor}, ${forwarding.peer}` : forwarding.peer,
    'X-Forwarded-Proto',
    believed('x-forwarded-proto') || forwarding.protocol,
    'X-Forwarded-Host',
    believed('x-forwarded-host') || forwarding.host,
    'X-Forwarded-Port',
    believed('x-forwarded-port') || String(forwarding.port),
    'X-Request-Id',
    forwarding.requestId,
    'Via',
    VIA,
  );
  return kept;
}

export interface Response {
  readonly status: number;
  readonly requestId: string;
  readonly setCookie: string | null;
  /** Whether the body goes on in chunks. */
  readonly chunked: boolean;
  /** Fields of ours, in place of those of the same names. */
  readonly replacing: RawFields;
}

/** The fields of the response as the client gets them. */
export function responseFields(fields: RawFields, response: Response): string[] {
  const { status, requestId, setCookie, chunked, replacing } = response;
  const kept = endToEndFields(fields, (name) => {
    if (name === 'x-request-id' || valuesOf(replacing, name).length > 0) return true;
    // RFC 9110 §8.6: a 204 has no length.
    return (name === 'trailer' && !chunked) || (name === 'content-length' && status === 204);
  });
  kept.push('Via', VIA, 'X-Request-Id', requestId, ...replacing);
  if (setCookie !== null) kept.push('Set-Cookie', setCookie);
  return kept;
}

/** The trailer fields that go on to the next hop, as pairs. */
export function trailerFields(fields: RawFields): [name: string, value: string][] {
  const kept = endToEndFields(fields, (name) => NOT_IN_TRAILERS.has(name.replaceAll('_', '-')));
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < kept.length; i += 2) pairs.push([kept[i] ?? '', kept[i + 1] ?? '']);
  return pairs;
}

/** The id that the client sent, when it is harmless in a log; otherwise a new one. */
export function requestIdOf(fields: RawFields, ids: Pick<RequestIds, 'make'>): string {
  const [id, ...others] = valuesOf(fields, 'x-request-id');
  return id !== undefined && others.length === 0 && isRequestId(id) ? id : ids.make();
}

/** Whether an id from outside is short and harmless enough to be passed on and logged. */
export function isRequestId(id: string): boolean {
  return REQUEST_ID.test(id);
}
