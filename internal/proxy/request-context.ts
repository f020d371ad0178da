import { hash32 } from '../algorithms/hash.ts';
import type { Trail } from './explain/trail.ts';
import type { LeaseContext } from './pool-parts.ts';
import type { ServicePool } from './service-pool.ts';
import { cookieValue } from './sticky.ts';
import type { Upstream } from './upstream.ts';

/** What balancing needs to know of a request, whichever engine read it. */
export interface BalancedRequest {
  readonly target: string;
  readonly clientAddress: string;
  /** The first value of a field; `name` in lower case. */
  field(name: string): string | undefined;
}

/** Answers the algorithms' questions about one request, each computed at most once and only when asked. */
export class RequestContext implements LeaseContext {
  /** Null while nobody follows the request. */
  trail: Trail | null = null;
  readonly #request: BalancedRequest;
  readonly #pool: ServicePool;
  readonly #now: () => number;
  #hash: number | null = null;
  #affinity: Upstream | null | undefined;

  constructor(request: BalancedRequest, pool: ServicePool, now: () => number) {
    this.#request = request;
    this.#pool = pool;
    this.#now = now;
  }

  now(): number {
    return this.#now();
  }

  hash(): number {
    const hash = this.#hash ?? hash32(hashKey(this.#pool.service.hash.key, this.#request));
    this.#hash = hash;
    return hash;
  }

  affinity(): string | undefined {
    if (this.#affinity === undefined) {
      this.#affinity = this.#pool.sticky?.find(this.#request.field('cookie'), this.#pool.candidates()) ?? null;
    }
    return this.#affinity?.id;
  }
}

/** The text that a hash-balanced request is keyed by. */
export function hashKey(key: string, request: BalancedRequest): string {
  if (key === 'url') return request.target;
  if (key === 'ip+url') return `${request.clientAddress} ${request.target}`;
  const named = /^(header|cookie):(.+)$/.exec(key);
  const name = named?.[2] ?? '';
  const value =
    named?.[1] === 'header' ? request.field(name.toLowerCase()) : named && cookieValue(request.field('cookie'), name);
  return value || request.clientAddress;
}
