/** How much of a body an excerpt is made of, in octets. */
export const EXCERPT_OCTETS = 400;
/** The longest excerpt, in characters. */
const LENGTH = 100;

/**
 * How a body begins, for people: one line in quotation marks, of at most a hundred characters. What could act on a
 * terminal, hide or turn text around becomes a question mark.
 * @param octets - latin1, one character per octet.
 * @returns an empty text when there is nothing to show.
 */
export function excerpt(octets: string): string {
  // As a stream, so that a character that is cut in two at the end is left out.
  const text = new TextDecoder().decode(Buffer.from(octets.slice(0, EXCERPT_OCTETS), 'latin1'), { stream: true });
  const line = plain(text).trim();
  const characters = Array.from(line);
  if (characters.length === 0) return '';
  const isCut = characters.length > LENGTH || octets.length > EXCERPT_OCTETS;
  return `"${characters.slice(0, LENGTH).join('')}${isCut ? '…' : ''}"`;
}

/** Foreign text on one line, without anything that is more than a visible character. */
export function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll('"', "'")
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]|\uFFFD/gu, '?');
}
