import { stripVTControlCharacters } from 'node:util';

/**
 * A table in columns of even width; numbers stand to the right. Colours take no room.
 * @param left - the columns of text, which stand to the left.
 */
export function aligned(table: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => widthOf(row[column] ?? ''))));
  const pad = (cell: string, column: number) => {
    const space = ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell)));
    return left.includes(column) ? cell + space : space + cell;
  };
  return table.map((row) => `${row.map(pad).join('  ').trimEnd()}\n`).join('');
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
