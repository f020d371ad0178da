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

/** The last column. */
export interface RatioColumn {
  readonly metric: string;
  readonly title: string;
  /**
   * Every sample is such a ratio already, of windows that were measured one right after the other: its median is shown with the interval that it
   * is in. Otherwise it is made of the medians of two rows.
   */
  readonly isPaired?: boolean;
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
  readonly ratio: RatioColumn;
  /** How often every subject has its turn; default: the rounds of the run. */
  readonly rounds?: number;
  /** How many turns a round stands for; default 1. More: turns are short, and an interval is wanted. */
  readonly turns?: number;
  /** Starts the backends; the subjects are started, and then measured in turns, by whoever runs the case. */
  subjects(bench: Bench): Promise<readonly Subject[]>;
}
