import type { ServicePool } from '../service-pool.ts';
import type { PictureChange, PoolPicture } from './messages.ts';

/** What the threads were last told of the pools, and so what is news to them. */
export class Picture {
  readonly #told = new Map<string, PoolPicture>();

  /** All of it, for a thread that knows nothing yet. */
  pools(): readonly PoolPicture[] {
    return [...this.#told.values()];
  }

  /** Takes over the pools as they are now. @returns what has changed; null when nothing has. */
  update(pools: Iterable<ServicePool>): Omit<PictureChange, 'generation'> | null {
    const changed: PoolPicture[] = [];
    const present = new Set<string>();
    for (const pool of pools) {
      present.add(pool.name);
      const picture = pictureOf(pool);
      const before = this.#told.get(pool.name);
      if (before !== undefined && isSame(before, picture)) continue;
      this.#told.set(pool.name, picture);
      changed.push(picture);
    }
    const removed = [...this.#told.keys()].filter((name) => !present.has(name));
    for (const name of removed) this.#told.delete(name);
    return changed.length === 0 && removed.length === 0 ? null : { pools: changed, removed };
  }
}

function pictureOf(pool: ServicePool): PoolPicture {
  const upstreams = Array.from(pool.upstreams(), ({ slot, instance }) => ({ slot, instance }));
  return { service: pool.service, pool: pool.place.pool, page: pool.page, upstreams };
}

/** Health, lifecycle and weight are not part of a picture: the threads read them in the shared memory. */
function isSame(a: PoolPicture, b: PoolPicture): boolean {
  if (a.service !== b.service || a.pool !== b.pool || a.page !== b.page) return false;
  if (a.upstreams.length !== b.upstreams.length) return false;
  return a.upstreams.every(({ slot, instance }, index) => {
    const other = b.upstreams[index];
    return other?.slot === slot && other.instance.id === instance.id;
  });
}
