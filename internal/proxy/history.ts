/** What grew, as it was at some times: enough to tell by how much it has grown since any of them. */
export class History<T> {
  /** Oldest first. */
  readonly #entries: { readonly at: number; readonly value: T }[] = [];

  /**
   * @param at - in milliseconds, not before any other.
   * @param keepMs - what is older is forgotten, but for the last of it.
   */
  add(at: number, value: T, keepMs: number): void {
    this.#entries.push({ at, value });
    while ((this.#entries[1]?.at ?? Number.POSITIVE_INFINITY) <= at - keepMs) this.#entries.shift();
  }

  /** The last that was added by then; when there is none, the first that is known; undefined: there is nothing. */
  asOf(at: number): T | undefined {
    return (this.#entries.findLast((entry) => entry.at <= at) ?? this.#entries[0])?.value;
  }
}
