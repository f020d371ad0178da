import { VIA } from '../fields.ts';
import { connectionOptions } from './connection-field.ts';
import { FIELD } from './field-kinds.ts';
import { fieldFraming, type Framing, type FramingFault } from './framing.ts';
import type { HeadParser } from './head-parser.ts';

/** What a response's head says about the body that follows and the connection it came on. */
export interface ResponseHead {
  readonly status: number;
  readonly framing: Framing;
  /** Octets of the body when `framing` is `length`. */
  readonly length: number;
  /** Whether the upstream would take another request on this connection. */
  readonly keepAlive: boolean;
  /** Names, in lower case, of the fields that end at this hop; null when there are none. */
  readonly nominated: ReadonlySet<string> | null;
}

const VERSION = 'HTTP/1.1';
/** Up to the value of the request's id, which follows. */
const VIA_LINE = `Via: ${VIA}\r\nX-Request-Id: `;
const VIA_LINE_1_0 = VIA_LINE.replace('1.1', '1.0');
const ZERO = 0x30;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/**
 * Interprets a complete final head (RFC 9112 §6.3).
 * @param method - of the request: a HEAD has no body in its answer.
 * @returns the reason as text when nobody can tell for sure where the body ends.
 */
export function readResponse(head: HeadParser, method: string): ResponseHead | FramingFault {
  const { status, minorVersion } = head;
  const { fault, chunked, length } = fieldFraming(head);
  if (fault !== null) return fault;
  const { close, keepAlive, nominated } = connectionOptions(head);
  const persists = !close && (minorVersion === 1 || keepAlive);
  const isBodiless = method === 'HEAD' || status === NO_CONTENT || status === NOT_MODIFIED;
  if (isBodiless || length === 0) return { status, framing: 'none', length: 0, keepAlive: persists, nominated };
  if (chunked) return { status, framing: 'chunked', length: 0, keepAlive: persists, nominated };
  if (length > 0) return { status, framing: 'length', length, keepAlive: persists, nominated };
  return { status, framing: 'until-close', length: 0, keepAlive: false, nominated };
}

export interface ClientSide {
  readonly method: string;
  readonly requestId: string;
  readonly setCookie: string | null;
  /** Lines of ours, each with its end. */
  readonly lines: string;
  /** The name, in lower case, of a field that is among those lines, whatever the upstream says; null: there is none. */
  readonly replaced: string | null;
  /** How the body goes on to the client. */
  readonly chunked: boolean;
  /** What `Connection` tells the client; null: nothing. */
  readonly connection: 'close' | 'keep-alive' | null;
}

/** The final head as the client gets it: status and fields byte for byte, without what ends at this hop. */
export function clientHead(head: HeadParser, response: ResponseHead, to: ClientSide): string {
  const via = head.minorVersion === 1 ? VIA_LINE : VIA_LINE_1_0;
  let added = `${via}${to.requestId}\r\n`;
  if (to.lines !== '') added += to.lines;
  if (to.setCookie !== null) added += `Set-Cookie: ${to.setCookie}\r\n`;
  if (to.chunked) added += 'Transfer-Encoding: chunked\r\n';
  if (to.connection !== null) added += `Connection: ${to.connection}\r\n`;
  // RFC 9110 §8.6: a 204 has none. One with zeros before it is written anew: somebody could read it as octal.
  const given = response.status === NO_CONTENT ? undefined : head.first(FIELD.contentLength);
  const keepsLength = given !== undefined && (given.charCodeAt(0) !== ZERO || given.length === 1);
  if (given !== undefined && !keepsLength) added += `Content-Length: ${Number(given)}\r\n`;
  return `${keptLines(head, response.nominated, keepsLength, to.chunked, to.replaced)}${added}\r\n`;
}

/** An interim head (1xx): it has no body, and nothing of ours is added. */
export function interimHead(head: HeadParser): string {
  return `${keptLines(head, connectionOptions(head).nominated, false, false, null)}\r\n`;
}

/**
 * The head of a 101, after which the connection speaks another protocol.
 */
export function switchingHead(
  head: HeadParser,
  { requestId, setCookie, lines, replaced }: Pick<ClientSide, 'requestId' | 'setCookie' | 'lines' | 'replaced'>,
): string {
  const protocol = head.first(FIELD.upgrade) ?? '';
  const cookie = setCookie === null ? '' : `Set-Cookie: ${setCookie}\r\n`;
  const kept = keptLines(head, connectionOptions(head).nominated, false, false, replaced);
  return (
    `${kept}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n` +
    `Via: ${VIA}\r\nX-Request-Id: ${requestId}\r\n${cookie}${lines}\r\n`
  );
}

/** The start line and the fields that go on. We speak HTTP/1.1, whatever version the upstream answered in (RFC 9110 §2.5). */
function keptLines(
  head: HeadParser,
  nominated: ReadonlySet<string> | null,
  keepsLength: boolean,
  keepsTrailer: boolean,
  replaced: string | null,
): string {
  const { text, count } = head;
  let kept = head.minorVersion === 1 ? '' : VERSION;
  let runStart = head.minorVersion === 1 ? 0 : VERSION.length;
  for (let i = 0; i < count; i += 1) {
    const goes = isKept(head.kindOf(i), keepsLength, keepsTrailer) && !nominated?.has(head.name(i).toLowerCase());
    if (goes && (replaced === null || head.name(i).toLowerCase() !== replaced)) continue;
    kept += text.slice(runStart, head.lineStart(i));
    runStart = head.lineStart(i + 1);
  }
  return kept + text.slice(runStart, head.lineStart(count));
}

function isKept(kind: number, keepsLength: boolean, keepsTrailer: boolean): boolean {
  switch (kind) {
    case FIELD.connection:
    case FIELD.hopByHop:
    case FIELD.keepAlive:
    case FIELD.te:
    case FIELD.upgrade:
    case FIELD.transferEncoding:
    case FIELD.requestId:
      return false;
    case FIELD.contentLength:
      return keepsLength;
    case FIELD.trailer:
      return keepsTrailer;
    default:
      return true;
  }
}
