import type { Moments } from './messages.ts';

/** In milliseconds. */
export interface Delays {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * From the commits to when they are in force: in each reader by itself, and in all of them.
 * @param inForce - of each reader, ascending. A later revision brings all that came before it.
 * @throws {Error} when a commit did not come into force somewhere.
 */
export function propagation(
  commits: Moments,
  inForce: readonly Moments[],
): { readonly each: Delays; readonly all: Delays } {
  const byReader = inForce.map((moments) => delaysOf(commits, moments));
  const ofAll = commits.map((_, index) => Math.max(...byReader.map((delays) => delays[index] ?? 0)));
  return { each: summary(byReader.flat()), all: summary(ofAll) };
}

function delaysOf(commits: Moments, moments: Moments): number[] {
  let next = 0;
  return commits.map(([revision, committedAt]) => {
    while (next < moments.length && (moments[next]?.[0] ?? 0) < revision) next += 1;
    const found = moments[next];
    if (found === undefined) throw new Error(`revision ${revision} did not come into force in a reader`);
    return Math.max(0, found[1] - committedAt); // it may be read before the writer hears that it is committed
  });
}

function summary(delays: readonly number[]): Delays {
  const sorted = Float64Array.from(delays).toSorted();
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
