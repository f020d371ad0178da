/** Between two probes while the state is being decided, in milliseconds. */
const FAST_INTERVAL_MS = 250;
/** Every delay is this much shorter or longer at random, so that the probes of many instances do not march in step. */
const JITTER = 0.1;
/** Between the first probes of instances that start together, in milliseconds. */
const STAGGER_MS = 5;
/** Probes that start together, on average, where there are enough of them; about two milliseconds of work. */
const GROUP_SIZE = 20;
/** The most that lies between two groups, as a part of the time between two probes of one instance. */
const LARGEST_STEP = 0.1;

/**
 * Milliseconds between two probes of one instance.
 * @param settled - false while further results in a row may change the state; it is then decided at a faster pace.
 */
export function pace(intervalMs: number, settled: boolean): number {
  return settled ? intervalMs : Math.min(FAST_INTERVAL_MS, intervalMs);
}

/** Milliseconds from the end of one probe to the start of the next. @param random - in [0, 1), as `Math.random`. */
export function nextDelay(intervalMs: number, settled: boolean, random: () => number): number {
  return pace(intervalMs, settled) * (1 - JITTER + 2 * JITTER * random());
}

/**
 * The instant nearest to `atMs` at which probes start together: to wake the thread costs more than a probe. The more
 * instances there are, the closer these instants lie, so that groups stay small. At most a twentieth of `paceMs` away.
 * @param count - of all instances that are probed.
 */
export function sharedInstant(atMs: number, paceMs: number, count: number): number {
  const step = paceMs * Math.min(LARGEST_STEP, GROUP_SIZE / count);
  return Math.round(atMs / step) * step;
}

/**
 * Milliseconds until the first probe of the `index`-th of `count` instances that start together: the first at once,
 * the others a few milliseconds apart, all of them within one interval.
 */
export function firstDelay(index: number, count: number, intervalMs: number): number {
  return index * Math.min(STAGGER_MS, intervalMs / count);
}
