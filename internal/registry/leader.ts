import { groupOf } from './front-id.ts';
import { isAlive, type ProxyRecord, type ProxyRegistry } from './registry.ts';

/**
 * For so long only the load balancer that spoke last tells of anything while the registry is away, in milliseconds; then all do, as it
 * may be gone, too.
 */
const SILENCE_MS = 300_000;

/** Knows whether a load balancer speaks for all, also while nobody can be asked. */
export class Leadership {
  readonly #registry: Pick<ProxyRegistry, 'proxyId' | 'proxies'>;
  readonly #now: () => number;
  /** What was found out last; null: nothing ever. */
  #found: boolean | null = null;
  /** Since when nobody can be asked; epoch milliseconds. */
  #unknownSince: number | null = null;

  /** @param now - epoch milliseconds. */
  constructor(registry: Pick<ProxyRegistry, 'proxyId' | 'proxies'>, now: () => number) {
    this.#registry = registry;
    this.#now = now;
  }

  /** As far as is known: whoever spoke last goes on. Where that is not known, better twice than never. */
  get speaks(): boolean {
    const unknownFor = this.#unknownSince === null ? 0 : this.#now() - this.#unknownSince;
    return this.#found !== false || unknownFor > SILENCE_MS;
  }

  /** Never rejects. */
  async ask(): Promise<boolean> {
    try {
      this.#found = isLeader(this.#registry.proxyId, await this.#registry.proxies(), this.#now());
      this.#unknownSince = null;
    } catch {
      this.#unknownSince ??= this.#now();
    }
    return this.speaks;
  }
}

/**
 * Whether a load balancer speaks for all: the one of heimdall's own that has been alive the longest. Fronts see less, for requests that
 * fail are not told to them; where there are only fronts, the oldest of those that serve the same speaks.
 * @param proxies - as the registry tells of them.
 */
export function isLeader(proxyId: string, proxies: readonly ProxyRecord[], now: number): boolean {
  const alive = proxies.filter((proxy) => isAlive(proxy, now));
  const group = alive.some(({ id }) => groupOf(id) === null) ? null : groupOf(proxyId);
  const first = alive.find(({ id }) => groupOf(id) === group);
  return first === undefined || first.id === proxyId;
}
