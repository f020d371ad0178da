import type { Algorithm } from '../model/algorithms.ts';
import { Ledger, type Span } from './ledger.ts';
import { readLogLine, type RecordedAttempt, type RecordedRequest, type Unusable } from './log-line.ts';

/** More requests are not kept: their memory is some hundred megabytes. */
const MOST_REQUESTS = 1_000_000;

/** The requests of one service, as they were recorded. */
export class Recording {
  /** In the order of their arrivals. */
  readonly requests: readonly RecordedRequest[];
  /** The algorithm that most of them went by; null: the log does not tell. */
  readonly algorithm: Algorithm | null;
  /** Epoch milliseconds of the first arrival. */
  readonly startedAt: number;

  /** @param requests - at least one. */
  constructor(requests: readonly RecordedRequest[]) {
    this.requests = requests.toSorted((a, b) => a.startedAt - b.startedAt);
    this.startedAt = this.requests[0]?.startedAt ?? 0;
    this.algorithm = mostFrequent(requests.map(({ algorithm }) => algorithm));
  }

  /** From the first arrival to right after the last one, in milliseconds since the first. */
  get span(): Span {
    return { from: 0, to: (this.requests.at(-1)?.startedAt ?? 0) - this.startedAt + 1 };
  }

  /** Requests that did not go by the recording's algorithm. */
  get otherwise(): number {
    return this.requests.filter(({ algorithm }) => algorithm !== this.algorithm).length;
  }

  /** By upstream, in the order of their beginnings; the upstreams by their names. */
  attempts(): Map<string, RecordedAttempt[]> {
    const all = new Map<string, RecordedAttempt[]>();
    for (const attempt of this.requests.flatMap(({ attempts }) => attempts)) {
      const known = all.get(attempt.upstream);
      if (known === undefined) all.set(attempt.upstream, [attempt]);
      else known.push(attempt);
    }
    for (const attempts of all.values()) attempts.sort((a, b) => a.startedAt - b.startedAt);
    return new Map([...all].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** What really became of the requests; times since the first arrival. */
  ledger(): Ledger {
    const ledger = new Ledger();
    for (const { startedAt, succeeded, attempts } of this.requests) {
      const elapsed = attempts.reduce((sum, { headMs }) => sum + headMs, 0);
      ledger.finished(startedAt - this.startedAt, succeeded ? elapsed : Number.POSITIVE_INFINITY);
      for (const attempt of attempts) ledger.picked(attempt.upstream, attempt.startedAt - this.startedAt);
    }
    return ledger;
  }
}

/** Takes the lines of a log one by one, and keeps what can be replayed. */
export class LogReader {
  readonly #services = new Map<string, RecordedRequest[]>();
  readonly #unusable = new Map<Unusable, number>();
  readonly #wanted: string | null;
  #kept = 0;

  /** @param wanted - the only service whose requests are kept; null: those of all. */
  constructor(wanted: string | null) {
    this.#wanted = wanted;
  }

  /** No more lines are wanted. */
  get isFull(): boolean {
    return this.#kept >= MOST_REQUESTS;
  }

  add(line: string): void {
    if (line.trim() === '' || this.isFull) return;
    const request = readLogLine(line);
    if (typeof request === 'string') {
      this.#unusable.set(request, (this.#unusable.get(request) ?? 0) + 1);
      return;
    }
    const known = this.#services.get(request.service) ?? [];
    this.#services.set(request.service, known);
    if (this.#wanted !== null && request.service !== this.#wanted) return;
    known.push(request);
    this.#kept += 1;
  }

  /** Every service that has requests in the log. */
  get services(): readonly string[] {
    return [...this.#services.keys()].toSorted();
  }

  /** How many lines were of no use, and why. */
  get unusable(): ReadonlyMap<Unusable, number> {
    return this.#unusable;
  }

  /** Null: there is no such service. */
  recording(service: string): Recording | null {
    const requests = this.#services.get(service) ?? [];
    return requests.length === 0 ? null : new Recording(requests);
  }
}

function mostFrequent(algorithms: readonly (Algorithm | null)[]): Algorithm | null {
  const counts = new Map<Algorithm | null, number>();
  for (const algorithm of algorithms) counts.set(algorithm, (counts.get(algorithm) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}
