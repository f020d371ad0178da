import { printable } from '../../../internal/model/printable.ts';

const COLOUR = /\x1b\[[\d;]*m/g; // oxlint-disable-line no-control-regex -- that is what a colour is

/** The first line of a text, and whether there are more: a row of a table is one line, whoever has written what stands in it. */
export function firstLine(text: string): string {
  const [first = '', ...others] = printable(text.trim().replaceAll('\r\n', '\n')).split(/\s*\n\s*/);
  return others.length === 0 ? first : `${first} …`;
}

/** Like `printable`, colours kept; they end with the line. */
export function printableWithColours(text: string): string {
  const pieces = text.split(COLOUR).map(printable);
  const colours = text.match(COLOUR) ?? [];
  const line = pieces.map((piece, n) => piece + (colours[n] ?? '')).join('');
  return colours.length === 0 ? line : `${line}\x1b[0m`;
}
