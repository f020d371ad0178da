import { excuseFor, type Failure, type Incident } from './verdict.ts';

const MOST_TOLD = 30;

/** What was done, and what came of all the visits. */
export class Report {
  readonly incidents: Incident[] = [];
  readonly actions = new Map<string, number>();
  /** What no excuse is valid for. */
  readonly faults: string[] = [];
  readonly #visits = new Map<string, number>();
  readonly #failures: Failure[] = [];
  readonly #acts: { readonly name: string; readonly from: number; to: number }[] = [];

  /** A visit that went as it should. */
  well(kind: string): void {
    this.#visits.set(kind, (this.#visits.get(kind) ?? 0) + 1);
  }

  failed(failure: Failure): void {
    this.#failures.push(failure);
  }

  fault(what: string): void {
    this.faults.push(what);
  }

  /** Something is done, whatever comes of it: complaints tell of it. @throws what the work throws. */
  async doing(name: string, work: () => Promise<void>): Promise<void> {
    const act = { name, from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.#acts.push(act);
    try {
      await work();
      this.actions.set(name, (this.actions.get(name) ?? 0) + 1);
    } finally {
      act.to = performance.now();
    }
  }

  /** The work breaks something, and lasts as long as clients may notice. */
  async during(name: string, excuses: Incident['excuses'], work: () => Promise<void>): Promise<void> {
    const incident: Incident = { name, excuses, from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.incidents.push(incident);
    try {
      await work();
    } finally {
      incident.to = performance.now();
    }
  }

  get visits(): number {
    return [...this.#visits.values()].reduce((sum, count) => sum + count, 0);
  }

  get unexcused(): readonly Failure[] {
    return this.#failures.filter((failure) => excuseFor(failure, this.incidents) === undefined);
  }

  get isClean(): boolean {
    return this.faults.length === 0 && this.unexcused.length === 0;
  }

  /** Visits by kind: done, failed with an excuse, failed without. */
  byKind(): Record<string, { done: number; excused: number; failed: number }> {
    const kinds = new Set([...this.#visits.keys(), ...this.#failures.map(({ kind }) => kind)]);
    const rows = [...kinds]
      .sort((a, b) => a.localeCompare(b))
      .map((kind) => {
        const own = this.#failures.filter((failure) => failure.kind === kind);
        const failed = this.unexcused.filter((failure) => failure.kind === kind).length;
        return [kind, { done: this.#visits.get(kind) ?? 0, excused: own.length - failed, failed }] as const;
      });
    return Object.fromEntries(rows);
  }

  /** What must not have happened, each with what was going on. */
  complaints(): string[] {
    const told = this.unexcused.slice(0, MOST_TOLD).map((failure) => {
      const about = [...this.incidents, ...this.#acts]
        .filter(({ from, to }) => failure.from <= to + 1_000 && failure.to >= from)
        .map(({ name, from }) => `${name} (${Math.round(failure.from - from)} ms before it)`);
      const lasted = `${Math.round(failure.to - failure.from)} ms`;
      const at = new Date(performance.timeOrigin + failure.from).toISOString();
      return `${at}: ${failure.kind}, in its ${failure.phase}, after ${lasted}: ${failure.cause}; meanwhile: ${about.join(', ') || 'nothing'}`;
    });
    const more = this.unexcused.length - told.length;
    return [...this.faults, ...told, ...(more > 0 ? [`and ${more} more`] : [])];
  }
}
