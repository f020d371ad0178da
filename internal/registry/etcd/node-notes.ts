import type { Usage } from '../../model/instance.ts';
import type { NodeNote, NodeRecord } from '../../model/node.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import { valueIfValid, valueOf } from './parse.ts';
import { FORM } from './forms.ts';
import type { Store, Write } from './store.ts';

/** What changes all the time is written so often at most, in milliseconds. */
const PAUSE_MS = 5_000;
/** Of what many instances use, it is written more rarely: so many milliseconds for each, which keeps it at 2 to 3 kB a second. */
const PAUSE_MS_EACH = 20;

/** Memory in bytes, and percent of one core, by instance. */
type Used = Readonly<Record<string, readonly [memory: number, cpu: number | null]>>;

interface NodeNotesOptions {
  readonly store: Store;
  readonly mirror: Mirror;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly node: string;
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

/** What managers tell of their nodes: kept when they are gone. */
export class NodeNotes {
  readonly #options: NodeNotesOptions;
  #told = '';
  #toldAt = Number.NEGATIVE_INFINITY;
  #usageTold = '{}';
  #usageToldAt = Number.NEGATIVE_INFINITY;

  constructor(options: NodeNotesOptions) {
    this.#options = options;
  }

  async tell(note: NodeNote, usage: ReadonlyMap<string, Usage> = new Map()): Promise<void> {
    const { store, mirror, clock, node, pid, startedAt } = this.#options;
    const { load: _, instances: __, ...lasting } = note;
    const told = JSON.stringify(lasting);
    const now = performance.now();
    if (told === this.#told && now - this.#toldAt < PAUSE_MS) return;
    const value = { pid, startedAt, seenAt: clock(), note };
    const used = this.#usedToTell(usage, now);
    const writes: Write[] = [{ put: NAMES.node(node), value }];
    if (used !== null) writes.push({ put: NAMES.usage(node), value: used });
    await mirror.reach(await store.write(writes));
    this.#told = told;
    this.#toldAt = now;
    if (used === null) return;
    this.#usageTold = JSON.stringify(used);
    this.#usageToldAt = now;
  }

  /** Of the instances of other nodes that are there, by id. */
  usage(): ReadonlyMap<string, Usage> {
    const { mirror, node } = this.#options;
    const others = [...mirror.all('usage').values()].filter(({ name }) => {
      const other = name.slice(NAMES.usage('').length);
      return other !== node && mirror.get(NAMES.manager(other)) !== null;
    });
    const used = others.flatMap((entry) => Object.entries(valueIfValid(FORM.usage, entry) ?? {}));
    return new Map(used.map(([id, [memory, cpu]]) => [id, { memory, cpu }]));
  }

  /** Null: the same as last time, or it is not time yet. */
  #usedToTell(usage: ReadonlyMap<string, Usage>, now: number): Used | null {
    if (now - this.#usageToldAt < usage.size * PAUSE_MS_EACH) return null;
    const used = Object.fromEntries(Array.from(usage, ([id, { memory, cpu }]) => [id, [memory, cpu] as const]));
    return JSON.stringify(used) === this.#usageTold ? null : used;
  }

  /** By name. One that is there was seen just now. */
  all(): NodeRecord[] {
    const { mirror, clock } = this.#options;
    const records = Array.from(mirror.all('nodes').values(), (entry): NodeRecord => {
      const { note, ...told } = valueOf(FORM.node, entry);
      const name = entry.name.slice(NAMES.node('').length);
      const manager = mirror.get(NAMES.manager(name));
      if (manager === null) return { ...note, ...told, name, alive: false };
      const { pid, startedAt } = valueOf(FORM.manager, manager);
      return { ...note, name, pid, startedAt, alive: true, seenAt: clock() };
    });
    return records.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}
