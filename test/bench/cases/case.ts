import type { Bench } from '../bench.ts';

/** One turn's numbers, by metric. Infinite: it did not happen. */
export type Sample = Readonly<Record<string, number>>;

/** A metric as a column of the table. */
export interface Column {
  readonly metric: string;
  readonly title: string;
  /** After the point. */
  readonly digits: number;
}

/** A row of the table: a candidate, or one of its algorithms. */
export interface Subject {
  readonly name: string;
  /** The row that its ratio compares it with. */
  readonly baseline: string;
  /** @returns what measures one turn. */
  start(): Promise<() => Promise<Sample>>;
}

/** A question that the benchmark answers with a table. */
export interface BenchmarkCase {
  readonly name: string;
  readonly title: string;
  readonly columns: readonly Column[];
  /** The metric of the ratio, and its column's title. */
  readonly ratio: Omit<Column, 'digits'>;
  /** How often every subject has its turn; default: the rounds of the run. */
  readonly rounds?: number;
  /** Starts the backends; the subjects are started, and then measured in turns, by whoever runs the case. */
  subjects(bench: Bench): Promise<readonly Subject[]>;
}
