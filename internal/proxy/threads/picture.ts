import type { ServicePool } from '../service-pool.ts';
import type { PictureChange, PoolPicture, UpstreamPicture } from './messages.ts';

/** A pool as the threads know it; its upstreams by their ids. */
type Told = Omit<PoolPicture, 'upstreams' | 'gone'> & {
  readonly composition: number;
  readonly upstreams: Map<string, UpstreamPicture>;
};

/**
 * What the threads were last told of the pools, and so what is news to them. Of a pool that they know they are told only who has
 * come and who is gone: a copy of thousands that they know would hold up their requests.
 */
export class Picture {
  readonly #told = new Map<string, Told>();

  /** All of it, for a thread that knows nothing yet. */
  pools(): readonly PoolPicture[] {
    return Array.from(this.#told.values(), (told) => messageOf(told, [...told.upstreams.values()], []));
  }

  /** Takes over the pools as they are now. @returns what has changed; null when nothing has. */
  update(pools: Iterable<ServicePool>): Omit<PictureChange, 'generation'> | null {
    const changed: PoolPicture[] = [];
    const present = new Set<string>();
    for (const pool of pools) {
      present.add(pool.name);
      const change = this.#take(pool);
      if (change !== null) changed.push(change);
    }
    const removed = [...this.#told.keys()].filter((name) => !present.has(name));
    for (const name of removed) this.#told.delete(name);
    return changed.length === 0 && removed.length === 0 ? null : { pools: changed, removed };
  }

  /** @returns null when it is as it was. */
  #take(pool: ServicePool): PoolPicture | null {
    const { name, service, page, place, composition } = pool;
    const before = this.#told.get(name);
    const isKnown = before?.pool === place.pool; // another place is another pool to the threads
    const upstreams = isKnown ? before.upstreams : new Map<string, UpstreamPicture>();
    const isSame = isKnown && before.service === service && before.page === page;
    if (isSame && before.composition === composition) return null;
    const told: Told = { service, page, pool: place.pool, composition, upstreams };
    this.#told.set(name, told);
    const come = takeNew(pool, upstreams);
    const gone = upstreams.size > pool.size ? takeGone(pool, upstreams) : [];
    return isSame && come.length + gone.length === 0 ? null : messageOf(told, come, gone);
  }
}

/** Health, lifecycle and weight are not part of a picture: the threads read them in the shared memory. */
function takeNew(pool: ServicePool, known: Map<string, UpstreamPicture>): UpstreamPicture[] {
  const come: UpstreamPicture[] = [];
  for (const { id, slot, instance } of pool.upstreams()) {
    if (known.get(id)?.slot === slot) continue;
    const picture = { slot, instance };
    known.set(id, picture);
    come.push(picture);
  }
  return come;
}

function takeGone(pool: ServicePool, known: Map<string, UpstreamPicture>): string[] {
  const gone = [...known.keys()].filter((id) => pool.get(id) === undefined);
  for (const id of gone) known.delete(id);
  return gone;
}

function messageOf(
  { service, page, pool }: Told,
  upstreams: readonly UpstreamPicture[],
  gone: readonly string[],
): PoolPicture {
  return { service, page, pool, upstreams, gone };
}
