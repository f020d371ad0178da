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
  /** By name, in the order in which they were made, unless `#isInOrder` says otherwise. */
  #kept = new Map<string, KeptInstance>();
  readonly #byId = new Map<string, KeptInstance>();
  /** How many instances of their managers there are on each node. */
  readonly #nodes = new Map<string, number>();
  #last: KeptInstance | null = null;
  #isInOrder = true;
  /** Null: to be made anew. */
  #rows: readonly Instance[] | null = null;

  constructor(mirror: Pick<Mirror, 'get' | 'noteOf'>) {
    this.#mirror = mirror;
    this.#changed = mirror.noteOf('instances');
  }

  /** In the order in which they were made; the same array as long as none has changed. */
  rows(): readonly Instance[] {
    this.#catchUp();
    if (!this.#isInOrder) this.#sort();
    this.#rows ??= Array.from(this.#kept.values(), ({ instance }) => instance);
    return this.#rows;
  }

  get(id: string): KeptInstance | null {
    this.#catchUp();
    return this.#byId.get(id) ?? null;
  }

  at(host: string, port: number): KeptInstance | null {
    this.#catchUp();
    return this.#kept.get(NAMES.instance(host, port)) ?? null;
  }

  /** Those whose managers have instances. */
  nodes(): Iterable<string> {
    this.#catchUp();
    return this.#nodes.keys();
  }

  #catchUp(): void {
    if (this.#changed.size === 0) return;
    const come: [string, KeptInstance][] = [];
    for (const name of this.#changed) {
      const entry = this.#mirror.get(name);
      const before = this.#kept.get(name) ?? null;
      if (entry === null || entry !== before?.entry) {
        const now = entry && { ...valueOf(FORM.instance, entry), entry };
        if (now !== null && before !== null && byOrigin(before, now) === 0) this.#put(name, now);
        else if (now !== null) come.push([name, now]);
        else this.#remove(name);
      }
    }
    for (const [name, now] of come.toSorted(([, a], [, b]) => byOrigin(a, b))) {
      if (this.#last !== null && byOrigin(this.#last, now) > 0) this.#isInOrder = false;
      this.#remove(name);
      this.#put(name, now);
      this.#last = now;
    }
    this.#changed.clear();
  }

  #put(name: string, now: KeptInstance): void {
    const before = this.#kept.get(name);
    this.#rows = null;
    this.#kept.set(name, now);
    if (before !== undefined) this.#drop(before);
    this.#byId.set(now.instance.id, now);
    this.#count(now.instance, 1);
  }

  #remove(name: string): void {
    const before = this.#kept.get(name);
    if (before === undefined) return;
    this.#rows = null;
    this.#kept.delete(name);
    this.#drop(before);
  }

  /** The id may be kept under another name already. */
  #drop(before: KeptInstance): void {
    if (this.#byId.get(before.instance.id) === before) this.#byId.delete(before.instance.id);
    this.#count(before.instance, -1);
  }

  #count({ node, agent }: Instance, by: number): void {
    if (node === null || agent !== null) return;
    const count = (this.#nodes.get(node) ?? 0) + by;
    if (count > 0) this.#nodes.set(node, count);
    else this.#nodes.delete(node);
  }

  #sort(): void {
    const sorted = [...this.#kept].toSorted(([, a], [, b]) => byOrigin(a, b));
    this.#kept = new Map(sorted);
    this.#last = sorted.at(-1)?.[1] ?? null;
    this.#isInOrder = true;
  }
}

function byOrigin(a: KeptInstance, b: KeptInstance): number {
  return (a.since ?? a.entry.created) - (b.since ?? b.entry.created) || a.place - b.place;
}
