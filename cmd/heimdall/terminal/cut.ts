import { stripVTControlCharacters } from 'node:util';

const COLOUR = /(\x1b\[[\d;]*m)/; // oxlint-disable-line no-control-regex -- that is what a colour is

/** The beginning of a line that fits into so many columns; colours take no room, and end with it. */
export function cut(line: string, columns: number): string {
  if (stripVTControlCharacters(line).length <= columns) return line;
  let [room, text] = [Math.max(0, columns - 1), ''];
  for (const piece of line.split(COLOUR)) {
    if (COLOUR.test(piece)) {
      text += piece;
      continue;
    }
    text += piece.slice(0, room);
    room -= Math.min(room, piece.length);
  }
  return `${text}…`.slice(0, columns === 0 ? 0 : undefined);
}
