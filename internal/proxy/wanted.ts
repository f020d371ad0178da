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
  readonly #spawned: ReadonlySet<Instance>;

  constructor(service: Service, spawned: readonly Instance[]) {
    this.#service = service;
    this.#spawned = new Set(spawned);
  }

  /** @param before - null: nothing was wanted. */
  since(before: Wanted | null): Difference {
    if (before === null) return { changed: this.#all(), gone: [] };
    if (before.#service !== this.#service) return differenceOf(before.#all(), this.#all());
    return differenceOf(without(before.#spawned, this.#spawned), without(this.#spawned, before.#spawned));
  }

  #all(): Instance[] {
    return [...declaredInstances(this.#service), ...this.#spawned];
  }
}

function without(instances: ReadonlySet<Instance>, others: ReadonlySet<Instance>): Instance[] {
  return [...instances].filter((instance) => !others.has(instance));
}

/** @param stale - may be among the changed ones, too. */
function differenceOf(stale: Iterable<Instance>, changed: Iterable<Instance>): Difference {
  const now = new Map(Array.from(changed, (instance) => [instance.id, instance]));
  const ids = Array.from(stale, ({ id }) => id);
  return { changed: [...now.values()], gone: ids.filter((id) => !now.has(id)) };
}
