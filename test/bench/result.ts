import type { Column, RatioColumn, Sample } from './cases/case.ts';
import { type Interval, medianInterval } from './statistics.ts';

/** What the turns of one subject have given. */
export interface Row {
  readonly subject: string;
  readonly baseline: string;
  /** Of each metric the median over the turns; null when no turn was valid. */
  readonly median: Sample | null;
  readonly samples: readonly Sample[];
  /** Why it could not start, or turns do not count. */
  readonly problems: readonly string[];
}

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly columns: readonly Column[];
  readonly ratio: RatioColumn;
  readonly rows: readonly Row[];
  /** Why the case could not be run at all. */
  readonly problem: string | null;
}

/** A row's metric, as a multiple of its baseline's; undefined when either was not measured. */
export function ratioOf(row: Row, { ratio, rows }: CaseResult): number | undefined {
  const value = row.median?.[ratio.metric];
  if (ratio.isPaired) return value;
  const base = rows.find(({ subject }) => subject === row.baseline)?.median?.[ratio.metric];
  return value === undefined || base === undefined ? undefined : value / base;
}

/** Where the ratio of a row is; null when that is not known: it is not of pairs, or they are too few. */
export function intervalOf({ samples }: Row, { ratio }: CaseResult): Interval | null {
  return ratio.isPaired ? medianInterval(samples.map((sample) => sample[ratio.metric] ?? Number.NaN)) : null;
}
