const LINE_END = 10;

/** @returns the end of as many lines from `from` on as are at most `most` octets; of one line, if that is longer. */
export function wholeLines(octets: Uint8Array, from: number, most: number): number {
  if (octets.length - from <= most) return octets.length;
  const last = octets.lastIndexOf(LINE_END, from + most - 1);
  return last >= from ? last + 1 : octets.indexOf(LINE_END, from + most) + 1;
}
