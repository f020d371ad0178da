import { isRequestId, VIA } from '../fields.ts';
import type { RequestIds } from '../request-ids.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { FIELD } from './field-kinds.ts';
import type { HeadParser } from './head-parser.ts';
import type { RequestHead } from './request-head.ts';

const ID_LINE = 'X-Request-Id: ';
const LAST_LINES = `\r\nVia: ${VIA}\r\n\r\n`;
/** A head with no other fields than these goes on as it is while the request is traced; */
const ALWAYS_KEPT = (1 << FIELD.other) | (1 << FIELD.host);
/** and with no others than these while it is not. */
const KEPT_UNTRACED = ALWAYS_KEPT | (1 << FIELD.traceparent) | (1 << FIELD.tracestate);
const END = '\r\n';

/** The other end of a client's connection, and what that adds to every request that comes on it. */
export class Peer {
  readonly address: string;
  /** Host and port that the connection came in on. */
  readonly local: string;
  readonly port: number;
  /** Whether that end may speak for others. */
  readonly trusted: boolean;
  readonly #fields: string;
  #host: string | null = null;
  #fieldsForHost = '';

  constructor(address: string, local: string, port: number, trusted: boolean) {
    this.address = address;
    this.local = local;
    this.port = port;
    this.trusted = trusted;
    this.#fields = `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: ${port}\r\nX-Forwarded-Host: `;
  }

  /** The forwarded lines of a peer that is not trusted, nearly always those of the request before. */
  fieldsFor(host: string): string {
    if (host !== this.#host) {
      this.#host = host;
      this.#fieldsForHost = `${this.#fields}${host}\r\n`;
    }
    return this.#fieldsForHost;
  }
}

/** The one id that the client sent, when it is harmless in a log; otherwise a new one. */
export function requestIdOf(head: HeadParser, ids: RequestIds): string {
  const id = head.first(FIELD.requestId);
  return id !== undefined && isRequestId(id) && !head.hasSeveral(FIELD.requestId) ? id : ids.make();
}

/** Its place in the client's trace, or in a new one; null: nothing is traced. */
export function requestTraceOf(head: HeadParser, tracer: Tracer | null): RequestTrace | null {
  if (tracer === null) return null;
  const traceparent = head.hasSeveral(FIELD.traceparent) ? undefined : head.first(FIELD.traceparent);
  return tracer.begin(traceparent, head.all(FIELD.tracestate));
}

/**
 * The head of the request as the upstream gets it: start line and fields byte for byte and in order, without what ends
 * at this hop and what we say ourselves, which follows at the end. The rules are those of `requestFields`.
 * @param trace - null: what the client says of a trace passes as any other field. Else see `withTraceparent`.
 */
export function upstreamHead(
  head: HeadParser,
  request: RequestHead,
  peer: Peer,
  requestId: string,
  trace: RequestTrace | null,
): string {
  const isOrigin = head.text.charCodeAt(head.methodEnd + 1) === 0x2f;
  const rules = { trusted: peer.trusted, traced: trace !== null };
  const lines =
    isOrigin && request.minorVersion === 1
      ? keptLines(head, head.methodStart, request, rules)
      : `${request.method} ${request.target} HTTP/1.1\r\n${keptLines(head, head.fieldsStart, request, rules)}`;
  const state = trace === null || trace.state === '' ? '' : `tracestate: ${trace.state}\r\n`;
  return lines + state + addedLines(head, request, peer, requestId);
}

/** The head of a traced request as the upstream of one attempt gets it. */
export function withTraceparent(head: string, traceparent: string): string {
  return `${head.slice(0, -END.length)}traceparent: ${traceparent}\r\n${END}`;
}

interface KeepRules {
  readonly trusted: boolean;
  readonly traced: boolean;
}

/** The text from `start` to the end of the fields, without those that end here. */
function keptLines(head: HeadParser, start: number, request: RequestHead, rules: KeepRules): string {
  const { text, count } = head;
  const { nominated } = request.connection;
  const always = rules.traced ? ALWAYS_KEPT : KEPT_UNTRACED;
  if (nominated === null && head.hasOnly(always)) return text.slice(start, head.lineStart(count));
  let kept = '';
  let runStart = start;
  for (let i = 0; i < count; i += 1) {
    const goes = isKept(head.kindOf(i), head, i, request, rules) && !nominated?.has(head.name(i).toLowerCase());
    if (goes) continue;
    kept += text.slice(runStart, head.lineStart(i));
    runStart = head.lineStart(i + 1);
  }
  return kept + text.slice(runStart, head.lineStart(count));
}

function isKept(kind: number, head: HeadParser, index: number, request: RequestHead, rules: KeepRules): boolean {
  switch (kind) {
    case FIELD.other:
    case FIELD.host:
      return true;
    case FIELD.contentLength:
      return head.value(index) === String(request.length); // another spelling, such as 007, is written anew
    case FIELD.clientClaim:
      return rules.trusted;
    case FIELD.traceparent:
    case FIELD.tracestate:
      return !rules.traced;
    case FIELD.trailer:
      return request.chunked;
    case FIELD.expect:
      return request.expectsContinue;
    default:
      return false;
  }
}

function addedLines(head: HeadParser, request: RequestHead, peer: Peer, requestId: string): string {
  let lines = peer.trusted ? trustedLines(head, request, peer) : peer.fieldsFor(request.host);
  if (head.hasOnly(KEPT_UNTRACED) && request.minorVersion === 1) return lines + ID_LINE + requestId + LAST_LINES;
  // A request of HTTP/1.0 may name its host in the target alone, or not at all.
  if (!head.has(FIELD.host)) lines += `Host: ${request.host || peer.local}\r\n`;
  if (request.chunked) lines += 'Transfer-Encoding: chunked\r\n';
  else if (hasOddLength(head, request.length)) lines += `Content-Length: ${request.length}\r\n`;
  if (request.upgrade !== null) lines += `Connection: Upgrade\r\nUpgrade: ${request.upgrade}\r\n`;
  if (head.first(FIELD.te)?.match(/(^|,)[ \t]*trailers[ \t]*(,|$)/i)) lines += 'TE: trailers\r\n';
  const via = request.minorVersion === 1 ? VIA : `1.0${VIA.slice(3)}`;
  return `${lines}${ID_LINE}${requestId}\r\nVia: ${via}\r\n\r\n`;
}

function hasOddLength(head: HeadParser, length: number): boolean {
  const given = head.first(FIELD.contentLength);
  return given !== undefined && given !== String(length);
}

/** Appended to what a trusted proxy said; where it said nothing, what we know. */
function trustedLines(head: HeadParser, request: RequestHead, peer: Peer): string {
  const before = head.all(FIELD.forwardedFor);
  const forwardedFor = before === '' ? peer.address : `${before}, ${peer.address}`;
  const proto = head.all(FIELD.forwardedProto) || 'http';
  const host = head.all(FIELD.forwardedHost) || request.host;
  const port = head.all(FIELD.forwardedPort) || String(peer.port);
  return (
    `X-Forwarded-For: ${forwardedFor}\r\nX-Forwarded-Proto: ${proto}\r\n` +
    `X-Forwarded-Port: ${port}\r\nX-Forwarded-Host: ${host}\r\n`
  );
}
