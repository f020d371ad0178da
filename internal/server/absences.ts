import type { NodeRecord } from '../model/node.ts';

/** How long a deployment waits for a node that is away, in milliseconds: a manager that is started again is back sooner. */
const PATIENCE_MS = 30_000;

/** For how long other nodes have been away, by the clock of this one. */
export class Absences {
  /** In epoch milliseconds. */
  readonly #since = new Map<string, number>();
  #now = 0;

  /** @param now - epoch milliseconds. */
  look(nodes: readonly NodeRecord[], now: number): void {
    const away = new Set(nodes.filter(({ alive }) => !alive).map(({ name }) => name));
    for (const name of this.#since.keys()) if (!away.has(name)) this.#since.delete(name);
    for (const name of away) if (!this.#since.has(name)) this.#since.set(name, now);
    this.#now = now;
  }

  isAway(node: string | null): boolean {
    return node !== null && this.#since.has(node);
  }

  /** Nodes that nobody waits for any more. */
  get gone(): ReadonlySet<string> {
    return new Set([...this.#since].filter(([, since]) => this.#now - since > PATIENCE_MS).map(([name]) => name));
  }
}
