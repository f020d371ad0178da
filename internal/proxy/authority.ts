/** RFC 3986 §3.2.2 without user information: a name, an IPv4 address or a bracketed IPv6 address, and a port. */
const AUTHORITY = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** Whether a Host field, or the authority of a target, is one and nothing but one. */
export function isAuthority(text: string): boolean {
  return AUTHORITY.test(text);
}
