import type { RecordedAttempt } from './log-line.ts';

/** What is tried, besides "no limit". */
const CANDIDATES = [64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1];
/** More attempts would tell nothing more. */
const MOST_ATTEMPTS = 20_000;
/** So many attempts in a row are compared with one another. */
const BLOCK = 400;
/** Of fewer a correlation tells nothing. */
const SMALLEST_BLOCK = 50;
/** Correlation below which the load is taken to have no influence. */
const NEGLIGIBLE = 0.1;
/** What is left of a time when the wait is taken off is at least this share of the median: clocks are rounded. */
const LEAST_SHARE = 0.05;
/** So large a share of the attempts may seem to have taken less: if it is larger, more of them were worked on at a time. */
const MOST_IMPOSSIBLE = 0.02;

/**
 * How many requests an upstream works on at the same time, from what it was seen to do: the largest number with which the time that an
 * attempt took, without its wait behind earlier ones, hardly depends on how many were there before it. With too small a number too much
 * is taken off the times of a busy upstream, with too large a number too little.
 *
 * The wait follows from the number c of workers (first come, first served): an attempt is taken up when fewer than c of those before
 * it are unfinished. Compared are only some hundred attempts in a row: an upstream that is slow for a
 * while is busy for that reason.
 * @param attempts - in the order of their beginnings.
 * @returns infinite when the load makes no difference, as far as can be seen.
 */
export function workersOf(attempts: readonly RecordedAttempt[]): number {
  const answered = attempts.filter(({ status }) => status !== null).slice(0, MOST_ATTEMPTS);
  const queues = queuesBefore(answered);
  const shortest = LEAST_SHARE * medianOf(answered.map(({ headMs }) => headMs));
  const timesOf = (workers: number) => serviceTimes(answered, workers);
  let best = Number.POSITIVE_INFINITY;
  let least = dependence(timesOf(best), queues, shortest);
  for (const workers of CANDIDATES) {
    if (least < NEGLIGIBLE) break;
    const times = timesOf(workers);
    if (times.filter((time) => time < shortest).length > MOST_IMPOSSIBLE * times.length) break; // with fewer even more so
    const found = Math.abs(dependence(times, queues, shortest));
    if (found >= least) continue;
    least = found;
    best = workers;
  }
  return best;
}

/** How long each attempt took without its wait for one of so many workers. */
export function serviceTimes(attempts: readonly RecordedAttempt[], workers: number): number[] {
  /** The latest ends of the attempts so far, ascending: when the first of them comes, a worker is free. */
  const ends: number[] = [];
  return attempts.map(({ startedAt, headMs }) => {
    const [free = 0] = ends;
    const takenUpAt = ends.length < workers ? startedAt : Math.max(startedAt, free);
    const end = startedAt + headMs;
    if (Number.isFinite(workers)) {
      insert(ends, end);
      if (ends.length > workers) ends.shift();
    }
    return Math.max(end - takenUpAt, 0);
  });
}

/** How many attempts were under way when each began. */
function queuesBefore(attempts: readonly RecordedAttempt[]): number[] {
  const ends: number[] = [];
  return attempts.map(({ startedAt, headMs }) => {
    while (ends[0] !== undefined && ends[0] <= startedAt) ends.shift();
    const queue = ends.length;
    insert(ends, startedAt + headMs);
    return queue;
  });
}

function insert(ascending: number[], value: number): void {
  let place = ascending.length;
  while (place > 0 && (ascending[place - 1] ?? 0) > value) place -= 1;
  ascending.splice(place, 0, value);
}

/**
 * Correlation of the logarithms of the service times with the queues: the median of those of the blocks, so that the one in which an
 * upstream became slower does not count for more than another.
 */
function dependence(times: readonly number[], queues: readonly number[], shortest: number): number {
  const logarithms = times.map((time) => Math.log(Math.max(time, shortest, Number.MIN_VALUE)));
  const found: number[] = [];
  for (let from = 0; times.length - from >= SMALLEST_BLOCK; from += BLOCK) {
    found.push(correlation(queues.slice(from, from + BLOCK), logarithms.slice(from, from + BLOCK)));
  }
  return medianOf(found);
}

/** Pearson's; 0 when one of them is always the same. */
function correlation(x: readonly number[], y: readonly number[]): number {
  const [meanX, meanY] = [meanOf(x), meanOf(y)];
  let [xx, yy, xy] = [0, 0, 0];
  for (const [n, value] of x.entries()) {
    const [dx, dy] = [value - meanX, (y[n] ?? 0) - meanY];
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return xx === 0 || yy === 0 ? 0 : xy / Math.sqrt(xx * yy);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
