/** The middle value; of an even number, the mean of the middle two. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const half = sorted.length / 2;
  const low = sorted[Math.ceil(half) - 1];
  const high = sorted[Math.floor(half)];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const CONFIDENCE = 0.95;

/**
 * The interval that holds the median of what the values are drawn from, in at least 95 of 100 runs, whatever its distribution; null of less
 * than six values, which tell too little. Each value is above the median or below it by the toss of a coin, hence the interval lies between the k-th
 * smallest and the k-th largest, with P(fewer than k heads of n) at most 2.5 % (the sign test turned around: Conover, Practical
 * Nonparametric Statistics, §3.2).
 */
export function medianInterval(values: readonly number[]): Interval | null {
  const sorted = values.toSorted((left, right) => left - right);
  const n = sorted.length;
  let k = 0;
  let [ways, below] = [1, 1]; // of n tosses: how many have k heads, and how many at most k
  while (below / 2 ** n <= (1 - CONFIDENCE) / 2) {
    k += 1;
    ways = (ways * (n - k + 1)) / k;
    below += ways;
  }
  const [low, high] = [sorted[k - 1], sorted[n - k]];
  return low === undefined || high === undefined ? null : { low, high };
}
