import type { IncomingMessage } from 'node:http';
import { type RawFields, valuesOf } from '../fields.ts';
import { isAuthority } from '../authority.ts';
import type { ProxyLimits } from '../engine.ts';

/** A request that Node's parser let through, as far as it may go on. */
export interface CheckedRequest {
  readonly ok: true;
  /** Origin form, byte for byte as the client sent it. */
  readonly target: string;
  readonly host: string;
  readonly hasBody: boolean;
  /** The body came in chunks: its length is not known before its end. */
  readonly chunked: boolean;
}

export interface RefusedRequest {
  readonly ok: false;
  readonly status: number;
  /** Undefined: the status says it all. */
  readonly detail: string | undefined;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

/** Mends or refuses what `node:http` accepts though a proxy must not pass it on (RFC 9112 §3, §6). */
export function checkRequest(request: IncomingMessage, limits: ProxyLimits): CheckedRequest | RefusedRequest {
  const fields = request.rawHeaders;
  if (!/^1\.[01]$/.test(request.httpVersion)) return refused(505, `HTTP/${request.httpVersion} is not supported.`);
  return checkSize(request, limits) ?? checkFraming(request, fields, limits) ?? checkTarget(request, fields);
}

function checkSize(request: IncomingMessage, limits: ProxyLimits): RefusedRequest | null {
  const target = request.url ?? '';
  if (target.length > limits.target) return refused(414);
  const fields = request.rawHeaders;
  if (fields.length / 2 > limits.fields) return refused(431, 'The request has too many header fields.');
  const bytes = fields.reduce((sum, text) => sum + text.length + 2, target.length);
  return bytes > limits.head ? refused(431) : null;
}

function checkFraming(request: IncomingMessage, fields: RawFields, limits: ProxyLimits): RefusedRequest | null {
  const codings = valuesOf(fields, 'transfer-encoding');
  const lengths = valuesOf(fields, 'content-length');
  if (codings.length > 0) {
    if (request.httpVersion === '1.0') return refused(400, 'Transfer-Encoding is not part of HTTP/1.0.');
    if (lengths.length > 0) return refused(400, 'Content-Length and Transfer-Encoding exclude each other.');
    if (codings.length > 1 || !/^chunked$/i.test(codings[0] ?? '')) {
      return refused(501, 'The only transfer coding this server understands is "chunked".');
    }
  }
  if (lengths.length > 1 || (lengths.length === 1 && !/^\d{1,15}$/.test(lengths[0] ?? ''))) {
    return refused(400, 'Content-Length is not one plain number.');
  }
  return limits.body !== null && Number(lengths[0] ?? 0) > limits.body ? refused(413) : null;
}

function checkTarget(request: IncomingMessage, fields: RawFields): CheckedRequest | RefusedRequest {
  const hosts = valuesOf(fields, 'host');
  const absolute = ABSOLUTE.exec(request.url ?? '');
  if (hosts.length > 1) return refused(400, 'The request has more than one Host field.');
  if (hosts.length === 0 && request.httpVersion === '1.1') return refused(400, 'The request has no Host field.');
  const host = hosts[0] ?? absolute?.[1] ?? '';
  if (!isAuthority(host)) return refused(400, 'The Host field is not valid.');
  if (absolute && absolute[1]?.toLowerCase() !== host.toLowerCase()) {
    return refused(400, 'The request target names another host than the Host field.');
  }
  const rest = absolute?.[2] ?? request.url ?? '';
  const target = absolute && !rest.startsWith('/') ? `/${rest}` : rest;
  if (target.includes('#')) return refused(400, 'A request target has no fragment.');
  if (!target.startsWith('/') && !(target === '*' && request.method === 'OPTIONS')) {
    return refused(400, 'The request target is not valid.');
  }
  const chunked = valuesOf(fields, 'transfer-encoding').length > 0;
  const hasBody = chunked || Number(valuesOf(fields, 'content-length')[0] ?? 0) > 0;
  return { ok: true, target, host, hasBody, chunked };
}

function refused(status: number, detail?: string): RefusedRequest {
  return { ok: false, status, detail };
}
