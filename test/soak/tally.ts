/** What went wrong, at most this often in words. */
const MOST_FAILURES = 50;

/** What came of all the visits, by their kind. */
export class Tally {
  readonly done = new Map<string, number>();
  readonly failures: string[] = [];
  #failed = 0;

  count(kind: string): void {
    this.done.set(kind, (this.done.get(kind) ?? 0) + 1);
  }

  fail(kind: string, error: unknown): void {
    this.#failed += 1;
    if (this.failures.length < MOST_FAILURES) {
      this.failures.push(`${kind}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  get failed(): number {
    return this.#failed;
  }

  get total(): number {
    return [...this.done.values()].reduce((sum, count) => sum + count, 0);
  }
}
