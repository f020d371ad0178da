const FIRST_MS = 250;
/** Shorter than instances stay without a sign of life: whoever comes back in time finds them. */
const LONGEST_MS = 5_000;

/**
 * Milliseconds until the next try: twice as long each time, up to a limit, and up to half of it less at random, so that many
 * do not come at once.
 * @param failures - in a row, from 1 on. @param random - in [0, 1), as `Math.random`.
 */
export function backoffMs(failures: number, random: () => number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return full * (1 - random() / 2);
}
