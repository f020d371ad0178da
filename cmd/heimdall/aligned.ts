/**
 * A table in columns of even width; numbers stand to the right.
 * @param left - the columns of text, which stand to the left.
 */
export function aligned(table: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    left.includes(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return table.map((row) => `${row.map(pad).join('  ').trimEnd()}\n`).join('');
}
