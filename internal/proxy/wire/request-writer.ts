import { isRequestId, VIA } from '../fields.ts';
import { FIELD } from './field-kinds.ts';
import type { HeadParser } from './head-parser.ts';
import type { RequestHead } from './request-head.ts';

/** What the connection adds to every request that comes on it. */
export interface Peer {
  /** The address of the connection's other end. */
  readonly address: string;
  /** Whether that end may speak for others. */
  readonly trusted: boolean;
  /** Host and port that the connection came in on. */
  readonly local: string;
  /** The local port the connection came in on. */
  readonly port: number;
  /** The forwarded fields of a peer that is not trusted, which are the same for each of its requests. */
  readonly fields: string;
}

export function peerOf(address: string, local: string, port: number, trusted: boolean): Peer {
  const fields = `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: ${port}\r\n`;
  return { address, local, port, trusted, fields };
}

/** The one id that the client sent, when it is harmless in a log; otherwise a new one. */
export function requestIdOf(head: HeadParser, make: () => string): string {
  const id = head.first(FIELD.requestId);
  return id !== undefined && isRequestId(id) && !head.hasSeveral(FIELD.requestId) ? id : make();
}

/**
 * The head of the request as the upstream gets it: start line and fields byte for byte and in order, without what ends
 * at this hop and what we say ourselves, which follows at the end. The rules are those of `requestFields`.
 */
export function upstreamHead(head: HeadParser, request: RequestHead, peer: Peer, requestId: string): string {
  const { text, methodStart, fieldsStart } = head;
  const isOrigin = text.charCodeAt(head.methodEnd + 1) === 0x2f;
  const startLine =
    isOrigin && request.minorVersion === 1
      ? text.slice(methodStart, fieldsStart)
      : `${request.method} ${request.target} HTTP/1.1\r\n`;
  return `${startLine}${keptLines(head, request, peer.trusted)}${addedLines(head, request, peer, requestId)}\r\n`;
}

function keptLines(head: HeadParser, request: RequestHead, trusted: boolean): string {
  const { text, count } = head;
  const { nominated } = request.connection;
  let kept = '';
  let runStart = head.fieldsStart;
  for (let i = 0; i < count; i += 1) {
    const goes = isKept(head.kindOf(i), head, i, request, trusted) && !nominated?.has(head.name(i).toLowerCase());
    if (goes) continue;
    kept += text.slice(runStart, head.lineStart(i));
    runStart = head.lineStart(i + 1);
  }
  return kept + text.slice(runStart, head.lineStart(count));
}

function isKept(kind: number, head: HeadParser, index: number, request: RequestHead, trusted: boolean): boolean {
  switch (kind) {
    case FIELD.other:
    case FIELD.host:
      return true;
    case FIELD.contentLength:
      return head.value(index) === String(request.length); // another spelling, such as 007, is written anew
    case FIELD.clientClaim:
      return trusted;
    case FIELD.trailer:
      return request.chunked;
    case FIELD.expect:
      return request.expectsContinue;
    default:
      return false;
  }
}

function addedLines(head: HeadParser, request: RequestHead, peer: Peer, requestId: string): string {
  let lines = peer.trusted ? trustedLines(head, request, peer) : `${peer.fields}X-Forwarded-Host: ${request.host}\r\n`;
  // A request of HTTP/1.0 may name its host in the target alone, or not at all.
  if (!head.has(FIELD.host)) lines += `Host: ${request.host || peer.local}\r\n`;
  if (request.chunked) lines += 'Transfer-Encoding: chunked\r\n';
  else if (hasOddLength(head, request.length)) lines += `Content-Length: ${request.length}\r\n`;
  if (request.upgrade !== null) lines += `Connection: Upgrade\r\nUpgrade: ${request.upgrade}\r\n`;
  if (head.first(FIELD.te)?.match(/(^|,)\s*trailers\s*(,|$)/i)) lines += 'TE: trailers\r\n';
  const via = request.minorVersion === 1 ? VIA : `1.0${VIA.slice(3)}`;
  return `${lines}X-Request-Id: ${requestId}\r\nVia: ${via}\r\n`;
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
