import { Latencies } from './latencies.ts';
import type { Answer, Sent } from './lane.ts';
import { BAR_ENDS, type Second, type StressReport } from './report.ts';

/** More values of the header than that are counted together: it may be one that differs for each request. */
const MOST_VALUES = 100;
/** A shorter rest at the end of the run is no point of the timeline: a rate over some milliseconds means nothing. */
const SHORTEST_SECONDS = 0.25;
const OTHER_VALUES = '(others)';
const NO_VALUE = '(none)';

type Counted = Pick<
  StressReport,
  'answers' | 'statuses' | 'errors' | 'latency' | 'service' | 'bars' | 'by' | 'timeline'
>;

/** Counts what becomes of the requests. */
export class Tally {
  readonly #header: string | null;
  readonly #statuses = new Map<number, number>();
  readonly #errors = new Map<string, number>();
  readonly #latency = new Latencies();
  readonly #service = new Latencies();
  readonly #bars = Array.from({ length: BAR_ENDS.length + 1 }, () => 0);
  readonly #values = new Map<string, Latencies>();
  readonly #timeline: Second[] = [];
  readonly #recent = new Latencies();
  #recentAnswers = 0;
  #recentFailures = 0;
  #lastTickMs: number;
  readonly #startMs: number;
  #answers = 0;
  #failures = 0;

  /** @param header - of the answers, by which they are counted apart. */
  constructor(header: string | null, nowMs: number) {
    this.#header = header?.toLowerCase() ?? null;
    this.#startMs = nowMs;
    this.#lastTickMs = nowMs;
  }

  get answers(): number {
    return this.#answers;
  }

  get failures(): number {
    return this.#failures;
  }

  get bars(): readonly number[] {
    return this.#bars;
  }

  answered({ intendedMs, sentMs }: Sent, { status, headers }: Answer, nowMs: number): void {
    this.#answers += 1;
    this.#recentAnswers += 1;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    const latencyMs = nowMs - intendedMs;
    this.#record(latencyMs);
    this.#service.record(nowMs - sentMs);
    if (this.#header !== null) this.#latenciesOf(valueOf(headers, this.#header)).record(latencyMs);
  }

  failed(kind: string): void {
    this.#failures += 1;
    this.#recentFailures += 1;
    this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + 1);
  }

  /** A request that nobody waits for any more: what it has taken so far is less than it would have, and still counts. */
  waitedInVain(kind: string, milliseconds: number): void {
    this.failed(kind);
    this.#record(milliseconds);
  }

  /** Ends a second of the timeline; null when it was too short to be one. */
  tick(nowMs: number): Second | null {
    const seconds = (nowMs - this.#lastTickMs) / 1_000;
    if (seconds < SHORTEST_SECONDS) return null;
    const { p50, p99 } = this.#recent.summary();
    const answers = round(this.#recentAnswers / seconds);
    const failures = round(this.#recentFailures / seconds);
    const second = { at: round((nowMs - this.#startMs) / 1_000), answers, failures, p50, p99 };
    this.#timeline.push(second);
    this.#recent.reset();
    this.#recentAnswers = 0;
    this.#recentFailures = 0;
    this.#lastTickMs = nowMs;
    return second;
  }

  result(): Counted {
    const values = Array.from(this.#values, ([value, latencies]) => {
      const latency = latencies.summary();
      return [value, { answers: latency.count, latency }] as const;
    }).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return {
      answers: this.#answers,
      statuses: Object.fromEntries(this.#statuses),
      errors: Object.fromEntries(this.#errors),
      latency: this.#latency.summary(),
      service: this.#service.summary(),
      bars: [...this.#bars],
      by: this.#header === null ? null : { header: this.#header, values: Object.fromEntries(values) },
      timeline: [...this.#timeline],
    };
  }

  #record(milliseconds: number): void {
    this.#latency.record(milliseconds);
    this.#recent.record(milliseconds);
    const bar = BAR_ENDS.findIndex((end) => milliseconds <= end);
    const index = bar === -1 ? BAR_ENDS.length : bar;
    this.#bars[index] = (this.#bars[index] ?? 0) + 1;
  }

  #latenciesOf(value: string): Latencies {
    const name = this.#values.has(value) || this.#values.size < MOST_VALUES ? value : OTHER_VALUES;
    const known = this.#values.get(name) ?? new Latencies();
    this.#values.set(name, known);
    return known;
  }
}

function valueOf(headers: readonly string[], name: string): string {
  for (let n = 0; n + 1 < headers.length; n += 2)
    if (headers[n]?.toLowerCase() === name) return headers[n + 1] ?? NO_VALUE;
  return NO_VALUE;
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}
