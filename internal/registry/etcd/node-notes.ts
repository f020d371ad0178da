import type { NodeNote, NodeRecord } from '../../model/node.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import { valueOf } from './parse.ts';
import { FORM } from './forms.ts';
import type { Store } from './store.ts';

/** What changes all the time is written so often at most, in milliseconds. */
const PAUSE_MS = 5_000;

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

  constructor(options: NodeNotesOptions) {
    this.#options = options;
  }

  async tell(note: NodeNote): Promise<void> {
    const { store, mirror, clock, node, pid, startedAt } = this.#options;
    const { load: _, instances: __, ...lasting } = note;
    const told = JSON.stringify(lasting);
    const now = performance.now();
    if (told === this.#told && now - this.#toldAt < PAUSE_MS) return;
    const value = { pid, startedAt, seenAt: clock(), note };
    await mirror.reach(await store.write([{ put: NAMES.node(node), value }]));
    this.#told = told;
    this.#toldAt = now;
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
