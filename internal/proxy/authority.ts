/** RFC 3986 §3.2.2 without user information: a name, an IPv4 address or a bracketed IPv6 address, and a port. */
const AUTHORITY = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

const COLON = 0x3a;
const DOT = 0x2e;
const DASH = 0x2d;
const PORT_DIGITS = 5;

/** Whether a Host field, or the authority of a target, is one and nothing but one. */
export function isAuthority(text: string): boolean {
  return isPlain(text) || AUTHORITY.test(text);
}

/** The ordinary case, a name or an IPv4 address, with or without a port, without the price of a regular expression. */
function isPlain(text: string): boolean {
  let at = 0;
  while (at < text.length && isNameCharacter(text.charCodeAt(at))) at += 1;
  if (at === text.length) return true;
  if (text.charCodeAt(at) !== COLON || text.length - at - 1 > PORT_DIGITS) return false;
  for (at += 1; at < text.length; at += 1) if (!isDigit(text.charCodeAt(at))) return false;
  return true;
}

function isNameCharacter(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) || isDigit(code) || code === DOT || code === DASH || (code >= 0x41 && code <= 0x5a)
  );
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
