import type { Suspect } from '../health/ejection.ts';
import { hangs, type UsualWait } from '../health/hang.ts';
import { errorOutlier, latencyOutlier } from '../health/outliers.ts';
import type { Service } from '../model/service.ts';
import type { Conduct } from './conduct.ts';

/** Those that fail every request, as far as one sees. @param now - in milliseconds of the monotonic clock. */
export function failing(serving: readonly Conduct[], service: Service, now: number): Suspect<Conduct>[] {
  const { consecutiveErrors, interval } = service.outlierDetection;
  if (consecutiveErrors === null) return [];
  return serving.flatMap((who) => {
    const inRow = who.upstream.streak(now, interval);
    return inRow < consecutiveErrors ? [] : [{ who, cause: `${inRow} gateway errors in a row`, isHard: true }];
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
  return compared(
    serving.map((conduct) => conduct.waiters(now)),
    serving,
    true,
    (own, others) => hangs(own, others, limitMs, usual.slowestMs),
  );
}

/** Those that are worse than the others in the interval that is over. What is balanced by keys cannot be compared. */
export function worse(serving: readonly Conduct[], { algorithm, outlierDetection }: Service): Suspect<Conduct>[] {
  const { errorRate, latencyFactor } = outlierDetection;
  if (algorithm === 'ip-url-hash') return [];
  return compared(
    serving.map(({ interval }) => interval),
    serving,
    false,
    (own, others) =>
      (errorRate === null ? null : errorOutlier(own, others, errorRate)) ??
      (latencyFactor === null ? null : latencyOutlier(own, others, latencyFactor)),
  );
}

function compared<T>(
  facts: readonly T[],
  serving: readonly Conduct[],
  isHard: boolean,
  judge: (own: T, others: readonly T[]) => string | null,
): Suspect<Conduct>[] {
  return serving.flatMap((who, index) => {
    const own = facts[index];
    const cause = own === undefined ? null : judge(own, facts.toSpliced(index, 1));
    return cause === null ? [] : [{ who, cause, isHard }];
  });
}
