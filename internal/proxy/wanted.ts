import { declaredInstances, type Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';

/** What is to be done with a pool. */
export interface Difference {
  /** New ones, and those about which something has changed. */
  readonly changed: readonly Instance[];
  /** Ids. */
  readonly gone: readonly string[];
}

/**
 * What a pool is to consist of: the servers that its service declares, and the registry's instances. To compare two of them costs
 * little when they have most rows in common, because what has not changed is the same object in the registry's next picture.
 */
export class Wanted {
  readonly #service: Service;
  readonly #spawned: readonly Instance[];

  constructor(service: Service, spawned: readonly Instance[]) {
    this.#service = service;
    this.#spawned = spawned;
  }

  /** @param before - null: nothing was wanted. */
  since(before: Wanted | null): Difference {
    if (before === null) return { changed: this.#all(), gone: [] };
    if (before.#service !== this.#service) return differenceOf(before.#all(), this.#all());
    const { stale, changed } = unlike(before.#spawned, this.#spawned);
    return differenceOf(stale, changed);
  }

  #all(): Instance[] {
    return [...declaredInstances(this.#service), ...this.#spawned];
  }
}

/**
 * What only one of them has. Pictures have their rows in one order, so that both are gone through side by side, as long as no more
 * than one row was put in, or taken out, between two that stayed; the rest is looked up.
 */
function unlike(before: readonly Instance[], now: readonly Instance[]) {
  const stale: Instance[] = [];
  const changed: Instance[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [old, young] = [before[i], now[j]];
    if (old === undefined || young === undefined) break;
    if (old === young || old.id === young.id) {
      if (old !== young) {
        stale.push(old);
        changed.push(young);
      }
      i += 1;
      j += 1;
    } else if (before[i + 1] === young) {
      stale.push(old);
      i += 1;
    } else if (old === now[j + 1]) {
      changed.push(young);
      j += 1;
    } else break;
  }
  const [left, come] = [before.slice(i), now.slice(j)];
  stale.push(...without(left, new Set(come)));
  changed.push(...without(come, new Set(left)));
  return { stale, changed };
}

function without(instances: readonly Instance[], others: ReadonlySet<Instance>): Instance[] {
  return instances.filter((instance) => !others.has(instance));
}

/** @param stale - may be among the changed ones, too. */
function differenceOf(stale: Iterable<Instance>, changed: Iterable<Instance>): Difference {
  const now = new Map(Array.from(changed, (instance) => [instance.id, instance]));
  const ids = Array.from(stale, ({ id }) => id);
  return { changed: [...now.values()], gone: ids.filter((id) => !now.has(id)) };
}
