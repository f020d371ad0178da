/** Of an IPv6 address: what one customer is usually given (RFC 6177), and may choose addresses from as it likes. */
const PREFIX_GROUPS = 4;
const GROUPS = 8;

/**
 * What a client's address counts as: an IPv4 address as itself, an IPv6 address as its first 64 bits, however it is written.
 * One with a zone, which is of use on one link only, counts as itself.
 * @param address - valid, as `isIP` says; anything else counts as itself.
 */
export function addressKey(address: string): string {
  if (!address.includes(':') || address.includes('%')) return address;
  const gap = address.indexOf('::');
  const head = groupsOf(gap === -1 ? address : address.slice(0, gap));
  const tail = gap === -1 ? [] : groupsOf(address.slice(gap + 2));
  const zeros = Math.max(GROUPS - head.length - tail.length, 0);
  let key = '';
  for (let index = 0; index < PREFIX_GROUPS; index += 1) {
    const group =
      index < head.length ? head[index] : index < head.length + zeros ? 0 : tail[index - head.length - zeros];
    key += `${(group ?? 0).toString(16)}:`;
  }
  return key;
}

/** An IPv4 address at the end stands for two groups; which ones does not matter, it is never within the prefix. */
function groupsOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => (group.includes('.') ? [0, 0] : [Number.parseInt(group, 16)]));
}
