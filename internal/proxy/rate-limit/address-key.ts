const GROUPS = 8;
const ZEROS = Array.from({ length: GROUPS }, () => 0);
/** Goes before the octets of a prefix, which could be read as an address in text otherwise. */
const PREFIX_MARK = 6;
const COLON = 0x3a;
const DOT = 0x2e;
const NINE = 0x39;

/**
 * What a client's address counts as: an IPv4 address as itself; an IPv6 address as its first 64 bits, however it is written,
 * because that is the least that one customer is given (RFC 6177), to choose addresses from. One with a zone, which is of
 * use on one link only, counts as itself.
 * @param address - valid, as `isIP` says; anything else counts as something, no matter what.
 */
export function addressKey(address: string): string {
  if (!address.includes(':') || address.includes('%')) return address;
  const groups = groupsOf(address);
  const [a = 0, b = 0, c = 0, d = 0] = groups;
  return String.fromCharCode(PREFIX_MARK, a >> 8, a & 255, b >> 8, b & 255, c >> 8, c & 255, d >> 8, d & 255);
}

/** All eight numbers of 16 bits; those of an IPv4 address at the end, which is beyond the prefix, as zeros. */
function groupsOf(address: string): number[] {
  const groups: number[] = [];
  let gap = GROUPS;
  let group = 0;
  let digits = 0;
  let isDotted = false;
  for (let at = 0; at < address.length; at += 1) {
    const code = address.charCodeAt(at);
    if (code !== COLON) {
      group = group * 16 + (code <= NINE ? code - 0x30 : (code | 0x20) - 0x57);
      digits += 1;
      if (code === DOT) isDotted = true;
      continue;
    }
    if (digits > 0) groups.push(group);
    else if (at > 0) gap = groups.length; // the second colon of `::`
    group = 0;
    digits = 0;
  }
  if (isDotted) groups.push(0, 0);
  else if (digits > 0) groups.push(group);
  if (gap < GROUPS) groups.splice(gap, 0, ...ZEROS.slice(groups.length));
  return groups;
}
