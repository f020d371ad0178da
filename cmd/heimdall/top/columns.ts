import { stripVTControlCharacters } from 'node:util';
import { aligned } from '../aligned.ts';
import type { Paint } from '../terminal/paint.ts';

/** A column of a table that is made for the terminal's width. */
export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => string;
  /** Text stands to the left, numbers to the right. */
  readonly isText?: boolean;
  /** Columns with the lowest go first where there is no room for all. */
  readonly worth: number;
}

/** Lines of a table without the columns that do not fit. @param marked - the title of the column that rows are ordered by. */
export function fitted<T>(
  all: readonly Column<T>[],
  rows: readonly T[],
  width: number,
  paint: Paint,
  marked: string | null = null,
): readonly string[] {
  let columns = all;
  for (;;) {
    const head = columns.map(({ title }) => (title === marked ? paint('bold', `${title}↓`) : paint('dim', title)));
    const table = [head, ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
    const left = columns.flatMap(({ isText }, index) => (isText === true ? [index] : []));
    const lines = aligned(table, left).trimEnd().split('\n');
    const widest = Math.max(...lines.map((line) => stripVTControlCharacters(line).length));
    if (widest <= width || columns.length === 1) return lines;
    const least = Math.min(...columns.map(({ worth }) => worth));
    columns = columns.filter(({ worth }) => worth !== least);
  }
}
