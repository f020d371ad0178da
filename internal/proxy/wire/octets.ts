export const CR = 0x0d;
export const LF = 0x0a;
export const SP = 0x20;
export const TAB = 0x09;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const DQUOTE = 0x22;

/** The value of a hexadecimal digit, -1 for any other octet. */
export const HEX_DIGIT = Int8Array.from({ length: 256 }, (_, octet) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(octet).toLowerCase()),
);

/** RFC 9110 §5.6.2: what a method or a field name consists of. */
export const IS_TOKEN = table((octet) => /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(octet)));

/** What a request target may consist of: visible ASCII but `#`, because a fragment is never sent (RFC 9112 §3.2). */
export const IS_TARGET = table((octet) => octet > SP && octet < 0x7f && octet !== 0x23);

/** RFC 9110 §5.5: field values and reason phrases; all but control characters, with the tab let through. */
export const IS_VALUE = table((octet) => octet === TAB || (octet >= SP && octet !== 0x7f));

/** Without the spaces and tabs around it; `trim` would also take octets that are text here, such as 0xA0. */
export function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** SP or HTAB. */
export function isBlank(code: number): boolean {
  return code === SP || code === TAB;
}

function table(has: (octet: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => (has(octet) ? 1 : 0));
}
