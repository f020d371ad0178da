/** Between two probes while the state is being decided, in milliseconds. */
const FAST_INTERVAL_MS = 250;
/** Every delay is this much shorter or longer at random, so that the probes of many instances do not march in step. */
const JITTER = 0.1;
/** Between the first probes of instances that start together, in milliseconds. */
const STAGGER_MS = 5;

/**
 * Milliseconds from the end of one probe to the start of the next.
 * @param settled - false while further results in a row may change the state; it is then decided at a faster pace.
 * @param random - in [0, 1), as `Math.random`.
 */
export function nextDelay(intervalMs: number, settled: boolean, random: () => number): number {
  const base = settled ? intervalMs : Math.min(FAST_INTERVAL_MS, intervalMs);
  return base * (1 - JITTER + 2 * JITTER * random());
}

/**
 * Milliseconds until the first probe of the `index`-th of `count` instances that start together: the first at once,
 * the others a few milliseconds apart, all of them within one interval.
 */
export function firstDelay(index: number, count: number, intervalMs: number): number {
  return index * Math.min(STAGGER_MS, intervalMs / count);
}
