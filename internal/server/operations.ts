/** Lets one piece of work at a time change the instances of a service: levelling their number, a deployment, a replacement. */
export class Operations {
  readonly #turns = new Map<string, Promise<unknown>>();

  isBusy(service: string): boolean {
    return this.#turns.has(service);
  }

  /** Does the work when everything that was asked for before is done. */
  run<T>(service: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(service) ?? Promise.resolve();
    const done = before.then(work);
    const turn = done
      .catch(() => {}) // whoever asked for it hears of it
      .then(() => {
        if (this.#turns.get(service) === turn) this.#turns.delete(service);
      });
    this.#turns.set(service, turn);
    return done;
  }

  /** Does the work at once; null when there is other work. */
  tryRun<T>(service: string, work: () => Promise<T>): Promise<T> | null {
    return this.isBusy(service) ? null : this.run(service, work);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#turns.size > 0) await Promise.all(this.#turns.values());
  }
}
