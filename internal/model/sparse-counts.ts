import { BUCKETS } from './latency-buckets.ts';

/** A histogram of latencies as bucket, count, bucket, count …: those that are not 0, in order. */
export type SparseCounts = readonly number[];

export function sparseOf(counts: Uint32Array | Float64Array): SparseCounts {
  const sparse: number[] = [];
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    const count = counts[bucket] ?? 0;
    if (count > 0) sparse.push(bucket, count);
  }
  return sparse;
}

/** Adds what was counted to the sums; a bucket that there is not is left out. */
export function addSparse(sums: Uint32Array | Float64Array, sparse: SparseCounts): void {
  for (let at = 0; at + 1 < sparse.length; at += 2) {
    const bucket = sparse[at] ?? BUCKETS;
    if (bucket < BUCKETS) sums[bucket] = (sums[bucket] ?? 0) + (sparse[at + 1] ?? 0);
  }
}

/** What came on top of an earlier reading of the same counts. */
export function sparseSince(before: SparseCounts, now: SparseCounts): SparseCounts {
  const known = new Map<number, number>();
  for (let at = 0; at + 1 < before.length; at += 2) known.set(before[at] ?? 0, before[at + 1] ?? 0);
  const gained: number[] = [];
  for (let at = 0; at + 1 < now.length; at += 2) {
    const bucket = now[at] ?? 0;
    const count = (now[at + 1] ?? 0) - (known.get(bucket) ?? 0);
    if (count > 0) gained.push(bucket, count);
  }
  return gained;
}
