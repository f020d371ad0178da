import type { NodeRecord } from '../model/node.ts';
import { HEARTBEAT_LIMIT_MS } from '../registry/registry.ts';

/** How long a node must have been found away before people are told: a manager that is started again is back sooner. Milliseconds. */
const TOLERANCE_MS = HEARTBEAT_LIMIT_MS;

interface NodeChanges {
  readonly gone: readonly NodeRecord[];
  /** Names. */
  readonly back: readonly string[];
}

/** Notices nodes that are away though they had instances: one that has stopped all of its own leaves nobody without. */
export class NodeWatch {
  /** When they were found away, in epoch milliseconds. */
  readonly #away = new Map<string, number>();
  readonly #gone = new Set<string>();

  /** Whether it was found away, and is told of, or will be. */
  isAway(name: string): boolean {
    return this.#away.has(name);
  }

  /** @param now - epoch milliseconds. */
  look(nodes: readonly NodeRecord[], now: number): NodeChanges {
    const away = nodes.filter(({ alive, instances }) => !alive && instances > 0);
    const names = new Set(away.map(({ name }) => name));
    for (const name of this.#away.keys()) if (!names.has(name)) this.#away.delete(name);
    for (const name of names) this.#away.set(name, this.#away.get(name) ?? now);
    const gone = away.filter(({ name }) => {
      return !this.#gone.has(name) && now - (this.#away.get(name) ?? now) > TOLERANCE_MS;
    });
    const back = [...this.#gone].filter((name) => !names.has(name));
    for (const { name } of gone) this.#gone.add(name);
    for (const name of back) this.#gone.delete(name);
    return { gone, back };
  }
}
