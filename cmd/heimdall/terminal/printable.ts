/* oxlint-disable no-control-regex -- they are what this file is about */
const COLOUR = /\x1b\[[\d;]*m/g;
const ESCAPE = /\x1b(?:\[[\x20-\x3f]*[\x40-\x7e]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|.)?/g;
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/**
 * A line as a terminal may show it: what an app writes into its log must not move the cursor, change the window's title or type
 * for the person who reads it.
 */
export function printable(text: string): string {
  return text.replace(ESCAPE, '').replace(CONTROL, '�');
}

/** The first line of a text, and whether there are more: a row of a table is one line, whoever has written what stands in it. */
export function firstLine(text: string): string {
  const [first = '', ...others] = printable(text.trim().replaceAll('\r\n', '\n')).split(/\s*\n\s*/);
  return others.length === 0 ? first : `${first} …`;
}

/** The same, colours kept; they end with the line. */
export function printableWithColours(text: string): string {
  const pieces = text.split(COLOUR).map(printable);
  const colours = text.match(COLOUR) ?? [];
  const line = pieces.map((piece, n) => piece + (colours[n] ?? '')).join('');
  return colours.length === 0 ? line : `${line}\x1b[0m`;
}
