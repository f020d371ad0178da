/** A thread that is interrupted while it compares two clocks gets them wrong by as long; seldom so many times in a row. */
const COMPARISONS = 20;

/** `performance.now()` starts with each thread, `hrtime` with the machine. */
const offset = offsetBetween(hrtimeMs, () => performance.now());

/** Milliseconds of a monotonic clock that is the same in all threads of a process, but for some microseconds. */
export function sharedNow(): number {
  return performance.now() + offset;
}

/** How far the first clock is ahead of the second, by the comparison that took the least time. */
export function offsetBetween(first: () => number, second: () => number): number {
  let shortest = Number.POSITIVE_INFINITY;
  let found = 0;
  for (let n = 0; n < COMPARISONS; n += 1) {
    const before = first();
    const between = second();
    const took = first() - before;
    if (took >= shortest) continue;
    shortest = took;
    found = before + took / 2 - between;
  }
  return found;
}

function hrtimeMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
