import { randomBytes } from 'node:crypto';
import type { RateLimit } from '../../model/rate-limit.ts';
import type { Route, Service } from '../../model/service.ts';
import { Accounts, type AccountsSize } from './accounts.ts';
import { HalfSipHash, type Words } from './half-sip-hash.ts';
import { RateLimiter } from './rate-limiter.ts';
import { Tallies } from './tallies.ts';

/** What the threads need to apply limits as one. */
export interface RateLimitMemory {
  readonly buffer: SharedArrayBuffer;
  readonly size: AccountsSize;
}

/** Clients that are at their limits, or on their way back, at a time; a megabyte, which is used as it is touched. */
const CLIENTS = 65_536;
const SEED_BYTES = 8;

/** The limits of all routes, as one thread sees them. */
export class RateLimits {
  readonly memory: RateLimitMemory;
  readonly accounts: Accounts;
  readonly #tallies: Tallies;
  readonly #seed: HalfSipHash;
  readonly #now: () => number;

  private constructor(memory: RateLimitMemory, thread: number, now: () => number) {
    const { buffer, size } = memory;
    const [low = 0, high = 0] = new Int32Array(buffer, 0, 2);
    this.memory = memory;
    this.accounts = new Accounts(size, thread, buffer, SEED_BYTES + Tallies.bytes(size.threads));
    this.#tallies = new Tallies(size.threads, thread, buffer, SEED_BYTES);
    this.#seed = new HalfSipHash({ low, high });
    this.#now = now;
  }

  /**
   * For the main thread.
   * @param threads - worker threads; the main thread comes on top.
   * @param now - milliseconds of a monotonic clock, the same in all threads that apply limits.
   */
  static create(threads: number, now: () => number, clients = CLIENTS): RateLimits {
    const size = { clients, threads };
    const buffer = new SharedArrayBuffer(SEED_BYTES + Tallies.bytes(threads) + Accounts.bytes(size));
    new Uint8Array(buffer, 0, SEED_BYTES).set(randomBytes(SEED_BYTES));
    return new RateLimits({ buffer, size }, 0, now);
  }

  /** The same limits for a worker thread. @param thread - from 1; no two living threads have the same. */
  static attach(memory: RateLimitMemory, thread: number, now: () => number): RateLimits {
    return new RateLimits(memory, thread, now);
  }

  /** To be called by the main thread before any other thread hears of these services. */
  configure(services: readonly Service[]): void {
    const limits = services.flatMap(({ name, routes }) =>
      routes.flatMap((route) => (route.rateLimit === null ? [] : this.#hashOf('limit', name, route, route.rateLimit))),
    );
    this.#tallies.keep(limits);
  }

  /**
   * Null: the route has no limit. A limit that was there before with the same service, route and values goes on where it
   * was, whoever applies it.
   */
  limiterFor(service: string, route: Route): RateLimiter | null {
    const { rateLimit } = route;
    if (rateLimit === null) return null;
    return new RateLimiter(rateLimit, route.path, {
      accounts: this.accounts,
      tallies: this.#tallies,
      place: this.#tallies.placeOf(this.#hashOf('limit', service, route, rateLimit)),
      hashes: {
        ofAddress: new HalfSipHash(this.#hashOf('address', service, route, rateLimit)),
        ofValue: new HalfSipHash(this.#hashOf('value', service, route, rateLimit)),
      },
      now: this.#now,
    });
  }

  /** @param use - another one gives another hash. */
  #hashOf(use: string, service: string, { host, path }: Route, { requests, per, burst, key }: RateLimit): Words {
    const text = JSON.stringify([use, service, host, path, requests, per, burst, key]);
    const { low, high } = this.#seed.digest(Buffer.from(text, 'utf8').toString('latin1'));
    return { low, high };
  }

  /** How many clients have an account; those whose bucket is empty again have none. */
  get clients(): number {
    return this.accounts.inUse(this.#now());
  }
}
