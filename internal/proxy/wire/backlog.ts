/** Octets that came before anybody could take them, in order; adding to them costs no more than it must. */
export class Backlog {
  #octets: Buffer | null = null;
  #length = 0;

  /** @param octets - belong to the backlog from now on. */
  static of(octets: Buffer): Backlog {
    const backlog = new Backlog();
    backlog.#octets = octets;
    backlog.#length = octets.length;
    return backlog;
  }

  get length(): number {
    return this.#length;
  }

  /** Copies `chunk[from, to)`. */
  add(chunk: Buffer, from: number, to: number): void {
    const needed = this.#length + to - from;
    if (this.#octets === null || this.#octets.length < needed) {
      const larger = Buffer.allocUnsafe(2 * needed);
      this.#octets?.copy(larger, 0, 0, this.#length);
      this.#octets = larger;
    }
    chunk.copy(this.#octets, this.#length, from, to);
    this.#length = needed;
  }

  /** Hands them out; null when there are none. */
  take(): Buffer | null {
    const taken = this.#length === 0 ? null : (this.#octets?.subarray(0, this.#length) ?? null);
    this.clear();
    return taken;
  }

  clear(): void {
    this.#octets = null;
    this.#length = 0;
  }
}
