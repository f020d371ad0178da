import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Upstream } from './upstream.ts';

/** 128 bits: enough against guessing, short enough for a cookie. */
const TOKEN_BYTES = 16;

/**
 * Names an upstream in a cookie without showing what it is called. The value is the keyed hash of the instance's id:
 * a client can neither read a port from it nor make one for an instance of its choice, and the same secret gives the
 * same value after a restart of the load balancer.
 */
export class StickyCookie {
  readonly name: string;
  readonly #secret: string;
  readonly #tokens = new WeakMap<Upstream, string>();

  constructor(name: string, secret: string) {
    this.name = name;
    this.#secret = secret;
  }

  /** The upstream that the request's cookie names, among `candidates`; undefined when there is none or it was forged. */
  find(cookieField: string | undefined, candidates: Iterable<Upstream>): Upstream | undefined {
    const given = cookieValue(cookieField, this.name);
    if (given === undefined) return undefined;
    for (const candidate of candidates) {
      if (sameText(this.#token(candidate), given)) return candidate;
    }
    return undefined;
  }

  /** The `Set-Cookie` value that ties the client to an upstream for the rest of its session. */
  issue(upstream: Upstream, secure: boolean): string {
    return `${this.name}=${this.#token(upstream)}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  }

  #token(upstream: Upstream): string {
    let token = this.#tokens.get(upstream);
    if (token === undefined) {
      token = createHmac('sha256', this.#secret)
        .update(upstream.id)
        .digest()
        .subarray(0, TOKEN_BYTES)
        .toString('base64url');
      this.#tokens.set(upstream, token);
    }
    return token;
  }
}

/** The value of one cookie of a Cookie field; the first one when it is repeated (RFC 6265 §5.4 puts the more specific path first). */
export function cookieValue(field: string | undefined, name: string): string | undefined {
  for (const pair of field?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'));
}
