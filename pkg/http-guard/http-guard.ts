import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';

const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?$/;
const BEARER = /^bearer +([^\s]+)$/i;
const CHALLENGE = 'Bearer realm="heimdall"';

/** Why a request is refused. */
export interface Refusal {
  readonly kind: 'host' | 'origin' | 'token-missing' | 'token-wrong';
  readonly status: 401 | 403;
  readonly detail: string;
  /** The value of `WWW-Authenticate`, which every 401 needs (RFC 9110, 15.5.2). */
  readonly challenge?: string;
}

export interface GuardSettings {
  /** Names besides loopback addresses and `localhost`, in any case. */
  readonly allowedHosts: readonly string[];
  /** Where more names can be allowed, for the error text: `manager.allowedHosts`. */
  readonly allowedHostsKey: string;
  /** Undefined: none is asked for. */
  readonly token: string | undefined;
}

/** Guards an interface that can steer this machine: against re-pointed names, foreign pages and strangers, in this order. */
export function refusalOf(request: IncomingMessage, settings: GuardSettings): Refusal | null {
  return refuseHost(request, settings) ?? refuseOrigin(request) ?? refuseToken(request, settings.token);
}

/**
 * Lets a request through when its only Host field names a loopback address, `localhost` or one of `allowedHosts`, with
 * any port. A page whose own name was re-pointed to this machine (DNS rebinding) still sends that name.
 */
function refuseHost(request: IncomingMessage, { allowedHosts, allowedHostsKey }: GuardSettings): Refusal | null {
  const [host, ...more] = fieldValues(request, 'host');
  const name = more.length === 0 ? hostName(host ?? '') : undefined;
  const allowed = name !== undefined && allowedHosts.some((other) => other.toLowerCase() === name);
  if (allowed || (name !== undefined && isLoopback(name))) return null;
  const detail = `The Host field must be there once and name a loopback address, localhost or one of ${allowedHostsKey}.`;
  return { kind: 'host', status: 403, detail };
}

/** Refuses what a browser sends for a page of another origin. Programs such as curl send neither field. */
function refuseOrigin(request: IncomingMessage): Refusal | null {
  const origin = request.headers.origin?.toLowerCase();
  const host = request.headers.host?.toLowerCase();
  const sameOrigin = origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
  if (sameOrigin && request.headers['sec-fetch-site'] !== 'cross-site') return null;
  return { kind: 'origin', status: 403, detail: 'Requests from pages of another origin are refused.' };
}

/** Asks every call for `Authorization: Bearer` and the token, wherever it comes from. */
function refuseToken(request: IncomingMessage, token: string | undefined): Refusal | null {
  if (token === undefined) return null;
  const given = BEARER.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined) {
    const detail = 'Send the token: "Authorization: Bearer <token>".';
    return { kind: 'token-missing', status: 401, detail, challenge: CHALLENGE };
  }
  if (equalInConstantTime(given, token)) return null;
  const challenge = `${CHALLENGE}, error="invalid_token"`;
  return { kind: 'token-wrong', status: 401, detail: 'The token is not the right one.', challenge };
}

/** All values of a field, repeated ones too: `request.headers` keeps only the first Host. */
function fieldValues(request: IncomingMessage, name: string): string[] {
  return request.rawHeaders.filter((_, i) => i % 2 === 1 && request.rawHeaders[i - 1]?.toLowerCase() === name);
}

function hostName(host: string): string | undefined {
  const match = HOST.exec(host.toLowerCase());
  return match?.[1] ?? match?.[2];
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}

/** Digests have one length, so the comparison tells nothing about the token's. */
function equalInConstantTime(given: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
