/** Shorter times share the first bucket, longer ones the last, in milliseconds. */
const FIRST_MS = 0.1;
const LAST_MS = 60_000;
/** Each is 7.3 % wide, but for the first and the last. */
export const BUCKETS = 192;
const BETWEEN = BUCKETS - 2;
const PER_UNIT = BETWEEN / Math.log(LAST_MS / FIRST_MS);

/** The bucket that a time falls into; of equal width on a logarithmic scale. */
export function bucketOf(milliseconds: number): number {
  if (!(milliseconds >= FIRST_MS)) return 0;
  if (milliseconds >= LAST_MS) return BUCKETS - 1;
  return Math.min(BETWEEN, 1 + Math.floor(Math.log(milliseconds / FIRST_MS) * PER_UNIT));
}

/** Where a bucket ends, in milliseconds; the last one has no end. */
export function upperBound(bucket: number): number {
  return bucket >= BUCKETS - 1 ? Number.POSITIVE_INFINITY : FIRST_MS * Math.exp(bucket / PER_UNIT);
}

export function total(counts: Uint32Array | Float64Array): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/**
 * The time that a share `q` of those counted did not exceed, in milliseconds. It is interpolated within its bucket: off
 * by a few percent, and by 7 % at most. NaN when nothing was counted; what took longer than a minute counts as a minute.
 */
export function quantile(counts: Uint32Array | Float64Array, q: number): number {
  const rank = q * total(counts);
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    if (count === 0 || below + count < rank) {
      below += count;
      continue;
    }
    if (bucket === BUCKETS - 1) return LAST_MS;
    const share = (rank - below) / count;
    return bucket === 0 ? FIRST_MS * share : FIRST_MS * Math.exp((bucket - 1 + share) / PER_UNIT);
  }
  return Number.NaN;
}
