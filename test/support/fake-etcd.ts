import { HeimdallError } from '../../internal/model/errors.ts';
import type { Entry, Guard, Outcome, Write } from '../../internal/registry/etcd/store.ts';

type Harm = 'refuse' | 'lose the answer' | 'deliver late' | 'hold back';

/** A store and the picture of it in one process, which always agree; the next commits fail as they are told to. */
export class FakeEtcd {
  readonly entries = new Map<string, Entry>();
  /** What was written together, in their order. */
  readonly commits: string[][] = [];
  readonly members = { name: 'fake', closing: new AbortController().signal };
  readonly #harms: Harm[] = [];
  readonly #late: (() => void)[] = [];
  readonly #heldBack: (() => void)[] = [];
  #revision = 0;

  /** @param harms - of the next commits, one each. */
  fail(...harms: Harm[]): void {
    this.#harms.push(...harms);
  }

  /** What was held back arrives. */
  deliver(): void {
    for (const arrive of this.#heldBack.splice(0)) arrive();
  }

  /** What is in memory. */
  readonly mirror = {
    ready: async () => {},
    reach: async () => {},
    agree: async () => {},
    get: (name: string) => this.entries.get(name) ?? null,
  };

  /** What is late arrives between the answer to this call and the next call. */
  async get(name: string) {
    const entry = this.entries.get(name) ?? null;
    for (const arrive of this.#late.splice(0)) arrive();
    return { revision: this.#revision, entry };
  }

  async commit(guards: readonly Guard[], writes: readonly Write[]): Promise<Outcome> {
    const harm = this.#harms.shift();
    if (harm === 'refuse') throw new HeimdallError('REGISTRY_UNAVAILABLE', 'refused');
    const arrive = () => void this.#carryOut(guards, writes);
    if (harm === 'deliver late') this.#late.push(arrive);
    else if (harm === 'hold back') this.#heldBack.push(arrive);
    else {
      const outcome = this.#carryOut(guards, writes);
      if (harm === undefined) return outcome;
    }
    throw new HeimdallError('REGISTRY_UNAVAILABLE', 'no answer', {}, { cause: new Error('no answer') });
  }

  #carryOut(guards: readonly Guard[], writes: readonly Write[]): Outcome {
    const found = new Map(guards.map(({ name }) => [name, this.entries.get(name)?.modified ?? 0]));
    const holds = (guard: Guard) =>
      'modified' in guard
        ? found.get(guard.name) === guard.modified
        : (this.entries.get(guard.name)?.created ?? 0) === guard.created;
    if (!guards.every(holds)) return { done: false, revision: this.#revision, found };
    this.#revision += 1;
    for (const write of writes) this.#write(write);
    this.commits.push(writes.map((write) => ('put' in write ? write.put : write.remove)));
    return { done: true, revision: this.#revision, found: new Map() };
  }

  #write(write: Write): void {
    if ('remove' in write) {
      this.entries.delete(write.remove);
      return;
    }
    const { put: name, value, lease = null } = write;
    const created = this.entries.get(name)?.created ?? this.#revision;
    const text = JSON.stringify(value);
    this.entries.set(name, { prefix: '/', name, value: text, modified: this.#revision, created, lease });
  }
}
