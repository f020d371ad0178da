import type { Suspect } from '../health/ejection.ts';
import { hangs, type UsualWait } from '../health/hang.ts';
import { errorOutlier, latencyOutlier, PoolIntervals } from '../health/outliers.ts';
import type { Service } from '../model/service.ts';
import type { Conduct } from './conduct.ts';

/** Those that fail every request, as far as one sees. @param now - in milliseconds of the monotonic clock. */
export function failing(serving: readonly Conduct[], service: Service, now: number): Suspect<Conduct>[] {
  const { consecutiveErrors, interval } = service.outlierDetection;
  if (consecutiveErrors === null) return [];
  return suspects(serving, ({ upstream }) => {
    const inRow = upstream.streak(now, interval);
    return inRow < consecutiveErrors ? null : `${inRow} gateway errors in a row`;
  });
}

/** Those that leave their requests without an answer. @param limitMs - see `UsualWait`; infinite: nobody knows yet. */
export function hanging(
  serving: readonly Conduct[],
  usual: UsualWait,
  limitMs: number,
  now: number,
): Suspect<Conduct>[] {
  if (limitMs === Number.POSITIVE_INFINITY) return [];
  const waiting = serving.filter(({ observed }) => observed.waiting > 0);
  const late = waiting.filter((conduct) => conduct.waiters(now).ageMs > limitMs);
  const others = { count: serving.length - 1, late: late.length - 1 };
  return suspects(late, (conduct) => hangs(conduct.waiters(now), others, limitMs, usual.slowestMs));
}

/** Those that are worse than the others in the interval that is over. What is balanced by keys cannot be compared. */
export function worse(serving: readonly Conduct[], { algorithm, outlierDetection }: Service): Suspect<Conduct>[] {
  const { errorRate, latencyFactor } = outlierDetection;
  if (algorithm === 'ip-url-hash') return [];
  const intervals = new Map(serving.map((conduct) => [conduct, conduct.interval]));
  const pool = new PoolIntervals([...intervals.values()]);
  const found: Suspect<Conduct>[] = [];
  for (const [who, own] of intervals) {
    const cause =
      (errorRate === null ? null : errorOutlier(own, pool, errorRate)) ??
      (latencyFactor === null ? null : latencyOutlier(own, pool, latencyFactor));
    if (cause !== null) found.push({ who, cause, isHard: false });
  }
  return found;
}

/** Those that fail or hang altogether. @param judge - gives the cause, or null. */
function suspects(conducts: readonly Conduct[], judge: (conduct: Conduct) => string | null): Suspect<Conduct>[] {
  const found: Suspect<Conduct>[] = [];
  for (const who of conducts) {
    const cause = judge(who);
    if (cause !== null) found.push({ who, cause, isHard: true });
  }
  return found;
}
