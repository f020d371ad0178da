/* oxlint-disable no-control-regex -- they are what this file is about */
const ESCAPE = /\x1b(?:\[[\x20-\x3f]*[\x40-\x7e]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|.)?/g;
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
/** They turn the direction of text, or stand where nobody sees them; those that join letters or are seen (in Arabic) stay. */
const FORMAT =
  /(?!\u200c|\u200d|[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}])[\p{Cf}\u2028\u2029]/gu;

/**
 * A text as a person may see it: what an app writes into its log must not move the cursor, change the window's title, type for
 * the person who reads it, or make a line read other than it is. Escape sequences go; of other characters one sees that they are there.
 */
export function printable(text: string): string {
  return text.replace(ESCAPE, '').replace(CONTROL, '�').replace(FORMAT, escaped);
}

/** As in JavaScript, such as `\u202e`. */
function escaped(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}
