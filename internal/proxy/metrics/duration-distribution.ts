import type { Distribution } from '../../../pkg/metrics/family.ts';
import { BUCKETS, upperBound } from '../../model/latency-buckets.ts';

/** In seconds. Round numbers: each stands for the nearest end of one of the fine buckets, at most 3.7 % off. */
const BOUNDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const satisfies readonly number[];

/** For each of the bounds the last of the fine buckets below it. */
const LAST_BUCKETS = BOUNDS.map(nearestEnd);

/**
 * Fine latency buckets as a histogram in seconds. Its sum is an estimate, by the middle of each fine bucket: off by less than 4 %;
 * what took longer than a minute counts as a minute.
 */
export function durationDistribution(counts: Float64Array): Distribution {
  const buckets: { le: number; count: number }[] = [];
  let count = 0;
  let sum = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    const own = counts[bucket] ?? 0;
    count += own;
    sum += own * middle(bucket);
    const bound = BOUNDS[LAST_BUCKETS.indexOf(bucket)];
    if (bound !== undefined) buckets.push({ le: bound, count });
  }
  buckets.push({ le: Number.POSITIVE_INFINITY, count });
  return { buckets, sum, count };
}

function nearestEnd(seconds: number): number {
  let nearest = 0;
  for (let bucket = 1; bucket < BUCKETS - 1; bucket += 1) {
    if (distance(bucket, seconds) < distance(nearest, seconds)) nearest = bucket;
  }
  return nearest;
}

function distance(bucket: number, seconds: number): number {
  return Math.abs(upperBound(bucket) / 1_000 - seconds);
}

/** In seconds. */
function middle(bucket: number): number {
  const from = bucket === 0 ? 0 : upperBound(bucket - 1);
  const to = bucket === BUCKETS - 1 ? from : upperBound(bucket);
  return (from + to) / 2_000;
}
