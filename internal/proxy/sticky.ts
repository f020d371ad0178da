import { createHmac } from 'node:crypto';
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
  readonly #indexes = new WeakMap<readonly Upstream[], ReadonlyMap<string, Upstream>>();

  constructor(name: string, secret: string) {
    this.name = name;
    this.#secret = secret;
  }

  /**
   * The upstream that the request's cookie names, among `candidates`; undefined when there is none or it was forged.
   *
   * O(1) from the second call with the same list on. The time of the lookup helps nobody to guess a token: texts are
   * compared only where their hashes under the process's random seed agree, so a good beginning looks like any other.
   */
  find(cookieField: string | undefined, candidates: readonly Upstream[]): Upstream | undefined {
    const given = cookieValue(cookieField, this.name);
    return given === undefined ? undefined : this.#indexOf(candidates).get(given);
  }

  /** The `Set-Cookie` value that ties the client to an upstream for the rest of its session. */
  issue(upstream: Upstream, secure: boolean): string {
    return `${this.name}=${this.#token(upstream)}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  }

  #indexOf(candidates: readonly Upstream[]): ReadonlyMap<string, Upstream> {
    let index = this.#indexes.get(candidates);
    if (index === undefined) {
      index = new Map(candidates.map((upstream) => [this.#token(upstream), upstream]));
      this.#indexes.set(candidates, index);
    }
    return index;
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
