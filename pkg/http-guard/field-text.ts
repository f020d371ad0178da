/** So much of it is shown, in characters. */
const LONGEST = 100;

/** What is meant by the value of a field that is for people, such as a name. */
export function meaningOf(value: string): string {
  return unescaped(fromUtf8(value));
}

/** For what is only shown: shortened, and without what a terminal might obey. Null when nothing is left. */
export function printable(value: string | null | undefined): string | null {
  const text = value?.replace(/\p{C}/gu, '').slice(0, LONGEST) ?? '';
  return text === '' ? null : text;
}

/** Field values are read as Latin-1 octet by octet; what is UTF-8 is meant as such. */
function fromUtf8(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

/** A browser can send ASCII alone, and our client does: the rest is percent-encoded. */
function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
