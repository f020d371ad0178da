import { EtcdLeaseInvalidError } from 'etcd3';
import { hasCode } from '../../model/errors.ts';
import type { Store } from './store.ts';

/** A lease that lasts as long as it is kept alive, and is taken anew when it ran out. */
export class LivingLease {
  readonly #store: Store;
  readonly #seconds: number;
  readonly #renewAfterMs: number;
  #id: string | null = null;
  #renewedAt = 0;

  /** @param renewAfterMs - how often `hold` makes sure that it is alive. */
  constructor(store: Store, seconds: number, renewAfterMs: number) {
    this.#store = store;
    this.#seconds = seconds;
    this.#renewAfterMs = renewAfterMs;
  }

  /** Its id; another one than before, when the one before ran out. */
  async hold(): Promise<string> {
    const now = performance.now();
    if (this.#id !== null && now - this.#renewedAt < this.#renewAfterMs) return this.#id;
    if (this.#id === null || !(await this.#store.keepAlive(this.#id)))
      this.#id = await this.#store.grant(this.#seconds);
    this.#renewedAt = now;
    return this.#id;
  }

  /** It is found to have run out. */
  lost(): void {
    this.#id = null;
  }

  /** What goes with it goes now. */
  async end(): Promise<void> {
    const id = this.#id;
    this.#id = null;
    if (id !== null) await this.#store.revoke(id);
  }
}

/** For what is of no use after some time: leases that nobody keeps alive, one after the other. */
export class RollingLease {
  readonly #store: Store;
  readonly #seconds: number;
  readonly #everyMs: number;
  #present: Promise<string> | null = null;
  #takenAt = 0;

  /** @param seconds - how long something is kept at most. @param everyMs - how much less it may be. */
  constructor(store: Store, seconds: number, everyMs: number) {
    this.#store = store;
    this.#seconds = seconds;
    this.#everyMs = everyMs;
  }

  async hold(): Promise<string> {
    const now = performance.now();
    if (this.#present === null || now - this.#takenAt > this.#everyMs) {
      this.#takenAt = now;
      this.#present = this.#store.grant(this.#seconds);
    }
    return this.#present.catch((error: unknown) => {
      this.#present = null;
      throw error;
    });
  }

  lost(): void {
    this.#present = null;
  }
}

/** Writes with leases; when one of them has run out meanwhile, once more with new ones. */
export async function withLeases<T>(leases: readonly { lost(): void }[], write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const isOver = hasCode(error, 'REGISTRY_UNAVAILABLE') && error.cause instanceof EtcdLeaseInvalidError;
    if (!isOver) throw error;
    for (const lease of leases) lease.lost();
    return write();
  }
}
