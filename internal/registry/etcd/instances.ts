import type { Instance } from '../../model/instance.ts';
import { FORM, type InstanceEntry } from './forms.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import { valueOf } from './parse.ts';
import type { Entry } from './store.ts';

/** An instance as it is kept. */
export interface KeptInstance extends InstanceEntry {
  readonly entry: Entry;
}

/**
 * The instances in memory. What has changed since the last call is looked at with the next one; that throws as long as a
 * key among it cannot be read: REGISTRY_BROKEN.
 */
export class Instances {
  readonly #mirror: Pick<Mirror, 'get' | 'noteOf'>;
  /** Names of keys. */
  readonly #changed: Set<string>;
  readonly #byName = new Map<string, KeptInstance>();
  readonly #byId = new Map<string, KeptInstance>();
  /** In the order in which they were made; null: to be made anew. */
  #kept: readonly KeptInstance[] | null = null;
  #rows: readonly Instance[] = [];

  constructor(mirror: Pick<Mirror, 'get' | 'noteOf'>) {
    this.#mirror = mirror;
    this.#changed = mirror.noteOf('instances');
  }

  /** In the order in which they were made. */
  kept(): readonly KeptInstance[] {
    this.#catchUp();
    return this.#list();
  }

  /** In the same order; the same array as long as none has changed. */
  rows(): readonly Instance[] {
    this.#catchUp();
    this.#list();
    return this.#rows;
  }

  get(id: string): KeptInstance | null {
    this.#catchUp();
    return this.#byId.get(id) ?? null;
  }

  at(host: string, port: number): KeptInstance | null {
    this.#catchUp();
    return this.#byName.get(NAMES.instance(host, port)) ?? null;
  }

  #catchUp(): void {
    for (const name of this.#changed) {
      const entry = this.#mirror.get(name);
      const before = this.#byName.get(name);
      if (entry !== (before?.entry ?? null)) {
        const kept = entry && { ...valueOf(FORM.instance, entry), entry };
        if (before !== undefined && this.#byId.get(before.instance.id) === before)
          this.#byId.delete(before.instance.id);
        if (kept === null) this.#byName.delete(name);
        else {
          this.#byName.set(name, kept);
          this.#byId.set(kept.instance.id, kept);
        }
        this.#kept = null;
      }
      this.#changed.delete(name);
    }
  }

  /** They are made one after the other, so that they mostly are in order already. */
  #list(): readonly KeptInstance[] {
    if (this.#kept !== null) return this.#kept;
    const kept = [...this.#byName.values()];
    const isInOrder = kept.every((each, at) => at === 0 || byOrigin(kept[at - 1] ?? each, each) <= 0);
    this.#kept = isInOrder ? kept : kept.toSorted(byOrigin);
    this.#rows = this.#kept.map(({ instance }) => instance);
    return this.#kept;
  }
}

function byOrigin(a: KeptInstance, b: KeptInstance): number {
  return (a.since ?? a.entry.created) - (b.since ?? b.entry.created) || a.place - b.place;
}
