/** How long a released port is not given to another instance: a late request must not reach the wrong one. */
const QUARANTINE_MS = 30_000;

/** Ports that were released a moment ago. Kept in memory: after a restart of the manager they are long cold. */
export class Quarantine {
  readonly #until = new Map<number, number>();
  readonly #clock: () => number;

  /** @param clock - epoch milliseconds. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  add(port: number): void {
    this.#until.set(port, this.#clock() + QUARANTINE_MS);
  }

  /** When the port may be used again, in epoch milliseconds; null when it may be used now. */
  until(port: number): number | null {
    const until = this.#until.get(port);
    if (until === undefined) return null;
    if (until > this.#clock()) return until;
    this.#until.delete(port);
    return null;
  }
}
