import { type CaseResult, intervalOf, ratioOf, type Row } from '../result.ts';
import type { Interval } from '../statistics.ts';
import type { Verdict } from './targets.ts';

/** A heading and rows of the same length. */
export type Table = readonly (readonly string[])[];

const NOTHING = '–';

export function caseTable(result: CaseResult): Table {
  const { columns, ratio, rows } = result;
  const cells = (row: Row) => columns.map(({ metric, digits }) => number(row.median?.[metric], digits));
  return [
    ['', ...columns.map(({ title }) => title), ratio.title],
    ...rows.map((row) => [row.subject, ...cells(row), within(ratioOf(row, result), intervalOf(row, result))]),
  ];
}

export function targetTable(verdicts: readonly Verdict[]): Table {
  return [
    ['target', 'limit', 'measured', ''],
    ...verdicts.map(({ text, bound, limit, value, interval, outcome }) => [
      text,
      `${bound === 'at most' ? '≤' : '≥'} ${limit}`,
      within(value ?? undefined, interval),
      outcome,
    ]),
  ];
}

/** In columns of even width: the first to the left, numbers to the right. */
export function toText(table: Table): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return table.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

export function toMarkdown([heading = [], ...rows]: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = heading.map((_, column) => (column === 0 ? '---' : '---:'));
  return [line(heading), line(rule), ...rows.map(line)].join('\n');
}

/** A value with two decimals, and where it is for certain. */
function within(value: number | undefined, interval: Interval | null): string {
  const text = number(value, 2);
  return interval === null ? text : `${text} (${number(interval.low, 2)}–${number(interval.high, 2)})`;
}

function number(value: number | undefined, digits: number): string {
  if (value === undefined || !Number.isFinite(value)) return NOTHING;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
