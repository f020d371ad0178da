/** A number in [0, 1) with each call, the same ones for the same seed. */
export type Random = () => number;

/** mulberry32 (Tommy Ettinger): 32 bits of state are enough for some millions of draws. */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Of an exponential distribution: the time between two arrivals of a Poisson process. */
export function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean;
}

/**
 * Of a log-normal distribution, the usual form of service times (Box and Muller 1958 for the normal one).
 * @param spread - standard deviation of the logarithm; 0: always the median.
 */
export function logNormal(random: Random, median: number, spread: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(spread * normal);
}
