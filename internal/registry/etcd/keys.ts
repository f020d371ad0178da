import type { Entry } from './store.ts';

/** The keys whose names begin with one beginning, by kind (what their names go on with, such as `instances`), then by name. */
export class Keys {
  readonly #beginning: string;
  #kinds = new Map<string, Map<string, Entry>>();
  /** By kind. */
  readonly #notes = new Map<string, Set<string>[]>();
  /** That were taken away since `forgetGone`. */
  readonly #gone = new Set<string>();

  constructor(beginning: string) {
    this.#beginning = beginning;
  }

  all(kind: string): ReadonlyMap<string, Entry> {
    return this.#kinds.get(kind) ?? new Map<string, Entry>();
  }

  kinds(): Iterable<string> {
    return this.#kinds.keys();
  }

  get(name: string): Entry | null {
    return this.#kinds.get(this.#kindOf(name))?.get(name) ?? null;
  }

  has(name: string): boolean {
    return name.startsWith(this.#beginning);
  }

  /** The names of a kind that were put or taken away since whoever asked took them out of the set; at first all. */
  noteOf(kind: string): Set<string> {
    const note = new Set(this.all(kind).keys());
    this.#notes.set(kind, [...(this.#notes.get(kind) ?? []), note]);
    return note;
  }

  /** Whether a name was there, and was taken away. */
  hasSeenGo(name: string): boolean {
    return this.#gone.has(name);
  }

  forgetGone(): void {
    this.#gone.clear();
  }

  /** Returns its kind. */
  put(entry: Entry): string {
    const kind = this.#kindOf(entry.name);
    put(this.#kinds, kind, entry);
    this.#gone.delete(entry.name);
    this.#note(kind, entry.name);
    return kind;
  }

  /** Returns its kind. */
  remove(name: string): string {
    const kind = this.#kindOf(name);
    this.#kinds.get(kind)?.delete(name);
    this.#gone.add(name);
    this.#note(kind, name);
    return kind;
  }

  /** These are all that there are; what has not changed stays the same object. Returns the kinds of what was there and of what is. */
  replace(entries: Iterable<Entry>): Set<string> {
    const before = this.#kinds;
    this.#kinds = new Map();
    for (const entry of entries) {
      const kind = this.#kindOf(entry.name);
      const known = before.get(kind)?.get(entry.name);
      put(this.#kinds, kind, known !== undefined && isSame(known, entry) ? known : entry);
    }
    for (const kinds of [before, this.#kinds]) {
      for (const [kind, named] of kinds) for (const name of named.keys()) this.#note(kind, name);
    }
    return new Set([...before.keys(), ...this.#kinds.keys()]);
  }

  #note(kind: string, name: string): void {
    for (const note of this.#notes.get(kind) ?? []) note.add(name);
  }

  #kindOf(name: string): string {
    const rest = name.slice(this.#beginning.length);
    const end = rest.indexOf('/');
    return end === -1 ? rest : rest.slice(0, end);
  }
}

/** Revisions alone do not tell: the store may be another one. */
function isSame(a: Entry, b: Entry): boolean {
  return a.modified === b.modified && a.created === b.created && a.lease === b.lease && a.value === b.value;
}

function put(kinds: Map<string, Map<string, Entry>>, kind: string, entry: Entry): void {
  const known = kinds.get(kind);
  if (known === undefined) kinds.set(kind, new Map([[entry.name, entry]]));
  else known.set(entry.name, entry);
}
