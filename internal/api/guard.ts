import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Request, RequestHandler } from 'express';
import { HeimdallError } from '../model/errors.ts';

const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?$/;
const BEARER = /^bearer +([^\s]+)$/i;

/** The token, or a function that returns the one in force now; undefined: none is asked for. */
export type TokenSource = string | (() => string | undefined) | undefined;

/**
 * Lets a request through when its only Host field names a loopback address, `localhost` or one of `allowedHosts`, with
 * any port. A page whose own name was re-pointed to this machine (DNS rebinding) still sends that name.
 */
export function hostGuard(allowedHosts: readonly string[]): RequestHandler {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()));
  return (request, _response, next) => {
    const [host, ...more] = fieldValues(request, 'host');
    const name = more.length === 0 ? hostName(host ?? '') : undefined;
    if (name !== undefined && (isLoopback(name) || allowed.has(name))) return next();
    throw new HeimdallError(
      'FORBIDDEN',
      'The Host field must be there once and name a loopback address, localhost or one of manager.allowedHosts.',
    );
  };
}

/** Refuses what a browser sends for a page of another origin. Programs such as curl send neither field. */
export const originGuard: RequestHandler = (request, _response, next) => {
  const origin = request.headers.origin?.toLowerCase();
  const host = request.headers.host?.toLowerCase();
  const sameOrigin = origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
  if (sameOrigin && request.headers['sec-fetch-site'] !== 'cross-site') return next();
  throw new HeimdallError('FORBIDDEN', 'Requests from pages of another origin are refused.');
};

/** Asks every call for `Authorization: Bearer` and the token, wherever it comes from. */
export function tokenGuard(source: TokenSource): RequestHandler {
  return (request, response, next) => {
    const token = typeof source === 'function' ? source() : source;
    if (token === undefined) return next();
    const given = BEARER.exec(request.headers.authorization ?? '')?.[1];
    if (given !== undefined && equalInConstantTime(given, token)) return next();
    const wrong = given === undefined ? '' : ', error="invalid_token"';
    response.set('WWW-Authenticate', `Bearer realm="heimdall"${wrong}`);
    throw new HeimdallError(
      'UNAUTHORIZED',
      given === undefined ? 'Send the token: "Authorization: Bearer <token>".' : 'The token is not the right one.',
    );
  };
}

/** All values of a field, repeated ones too: `request.headers` keeps only the first Host. */
function fieldValues(request: Request, name: string): string[] {
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
