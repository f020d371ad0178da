import { isAuthority } from '../authority.ts';
import type { BalancedRequest } from '../request-context.ts';
import { type ConnectionOptions, connectionOptions } from './connection-field.ts';
import { FIELD, hasName } from './field-kinds.ts';
import { fieldFraming, type FramingFault } from './framing.ts';
import type { HeadFault, HeadParser } from './head-parser.ts';
import { trimmed } from './octets.ts';

/** Why a request whose head could be read is refused all the same. */
type RequestFault =
  | FramingFault
  | 'host-missing'
  | 'host-repeated'
  | 'host-invalid'
  /** The target names another host than the Host field. */
  | 'host-mismatch'
  /** Neither a path, nor an absolute URL, nor the `*` of OPTIONS. */
  | 'target-form-invalid'
  | 'connect-refused'
  | 'body-too-large';

export type RequestReason = HeadFault | RequestFault;

const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i;

/** What a request's head says, once it may be acted upon. */
export interface RequestHead {
  readonly method: string;
  /** Origin form, byte for byte as it came, or `*`. */
  readonly target: string;
  readonly host: string;
  readonly minorVersion: number;
  readonly chunked: boolean;
  /** Octets of the body; 0 without one, -1 when it comes in chunks. */
  readonly length: number;
  readonly connection: ConnectionOptions;
  /** Whether the client would send another request on this connection. */
  readonly keepAlive: boolean;
  /** The protocol that the client wants to switch to; null when it wants none, or none that we let through. */
  readonly upgrade: string | null;
  /** The client waits for a 100 before it sends the body. */
  readonly expectsContinue: boolean;
}

/**
 * Interprets a complete head.
 * @param maxBody - octets; null: unlimited.
 * @returns the reason as text when the request must be refused.
 */
export function readRequest(head: HeadParser, maxBody: number | null): RequestHead | RequestReason {
  const { text, methodStart, methodEnd, targetEnd, minorVersion } = head;
  const method = text.slice(methodStart, methodEnd);
  if (method === 'CONNECT') return 'connect-refused';
  const { fault, chunked, length } = fieldFraming(head);
  if (fault !== null) return fault;
  if (maxBody !== null && length > maxBody) return 'body-too-large';
  const given = head.first(FIELD.host);
  if (given === undefined && minorVersion === 1) return 'host-missing';
  if (head.hasSeveral(FIELD.host)) return 'host-repeated';
  let host = given ?? '';
  if (!isAuthority(host)) return 'host-invalid';
  let target = text.slice(methodEnd + 1, targetEnd);
  if (target.charCodeAt(0) !== 0x2f) {
    const resolved = resolveTarget(method, target, given ?? null);
    if (typeof resolved === 'string') return resolved;
    host = resolved.host;
    target = resolved.target;
  }
  const connection = connectionOptions(head);
  const hasBody = chunked || length > 0;
  const upgrade = connection.upgrade && minorVersion === 1 && !hasBody ? upgradeOf(head) : null;
  return {
    method,
    target,
    host,
    minorVersion,
    chunked,
    length: chunked ? -1 : Math.max(length, 0),
    connection,
    // What follows a declined upgrade may have been meant for the other protocol.
    keepAlive: !connection.close && (minorVersion === 1 ? upgrade === null : connection.keepAlive),
    upgrade,
    expectsContinue: hasBody && minorVersion === 1 && /^100-continue$/i.test(head.first(FIELD.expect) ?? ''),
  };
}

/**
 * RFC 9112 §3.2.2 and §3.2.4. An absolute target whose authority is not that of the Host field is refused: the RFC would
 * have it replace the field, and whoever looked at the field before us saw another host.
 * @param host - null without a Host field.
 */
function resolveTarget(
  method: string,
  given: string,
  host: string | null,
): { target: string; host: string } | RequestFault {
  if (given === '*' && method === 'OPTIONS') return { target: given, host: host ?? '' };
  const absolute = ABSOLUTE.exec(given);
  const [, authority = '', rest = ''] = absolute ?? [];
  if (absolute === null || authority === '' || !isAuthority(authority)) return 'target-form-invalid';
  if (host !== null && authority.toLowerCase() !== host.toLowerCase()) return 'host-mismatch';
  if (rest === '' && method === 'OPTIONS') return { target: '*', host: authority };
  return { target: rest.startsWith('/') ? rest : `/${rest}`, host: authority };
}

/**
 * h2c would carry requests past every check and every route (request smuggling by upgrade): it is not let through, and
 * the request is answered as an ordinary one, as RFC 9110 §7.8 allows.
 */
function upgradeOf(head: HeadParser): string | null {
  const protocol = head.first(FIELD.upgrade) ?? '';
  if (protocol === '' || head.hasSeveral(FIELD.upgrade)) return null;
  return protocol.split(',').some((name) => /^\s*h2c\s*$/i.test(name)) ? null : protocol;
}

/** Answers questions about fields of a request after its parser has gone on to another. */
export class RequestFields implements BalancedRequest {
  readonly target: string;
  readonly clientAddress: string;
  readonly #text: string;

  constructor(text: string, target: string, clientAddress: string) {
    this.#text = text;
    this.target = target;
    this.clientAddress = clientAddress;
  }

  field(name: string): string | undefined {
    const text = this.#text;
    // The parser lets a line feed in nowhere but behind a carriage return, and one character is found faster than two.
    let line = text.indexOf('\n') + 1;
    for (;;) {
      const end = text.indexOf('\n', line) - 1;
      if (end <= line) return undefined;
      if (text.charCodeAt(line + name.length) === 0x3a && hasName(text, line, name)) {
        return trimmed(text.slice(line + name.length + 1, end));
      }
      line = end + 2;
    }
  }
}
