import { type CaseResult, ratioOf, type Row } from '../result.ts';
import type { Verdict } from './targets.ts';

/** A heading and rows of the same length. */
export type Table = readonly (readonly string[])[];

const NOTHING = '–';

export function caseTable(result: CaseResult): Table {
  const { columns, ratio, rows } = result;
  const cells = (row: Row) => columns.map(({ metric, digits }) => number(row.median?.[metric], digits));
  return [
    ['', ...columns.map(({ title }) => title), ratio.title],
    ...rows.map((row) => [row.subject, ...cells(row), number(ratioOf(row, result), 2)]),
  ];
}

export function targetTable(verdicts: readonly Verdict[]): Table {
  return [
    ['target', 'limit', 'measured', ''],
    ...verdicts.map(({ text, bound, limit, value, outcome }) => [
      text,
      `${bound === 'at most' ? '≤' : '≥'} ${limit}`,
      number(value ?? undefined, 2),
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

function number(value: number | undefined, digits: number): string {
  if (value === undefined || !Number.isFinite(value)) return NOTHING;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
