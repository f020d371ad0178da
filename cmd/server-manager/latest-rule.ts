import { createTask } from 'node-cron';
import type { Autoscale } from '../../internal/model/rollout.ts';

export type CalendarRule = Autoscale['schedule'][number];

const MINUTE_MS = 60_000;
/** How far back a rule may have come into force: a month, and a day for the longest one. */
const LOOK_BACK_MS = 32 * 24 * 60 * MINUTE_MS;

/** The rule whose time came last; of two at the same time the one that stands last. Null when none did within a month. */
export function latestRule(rules: readonly CalendarRule[], now: Date): CalendarRule | null {
  let latest: CalendarRule | null = null;
  let since = now.getTime() - LOOK_BACK_MS;
  for (const rule of rules) {
    const at = latestTime(rule.cron, now.getTime(), since);
    if (at === null) continue;
    latest = rule;
    since = at;
  }
  return latest;
}

/**
 * Goes back by whole days and hours where none of their minutes can be meant: a look at every minute of a month would take seconds.
 * @param cron - of five fields.
 * @returns epoch milliseconds; null: not since `earliest`.
 */
function latestTime(cron: string, now: number, earliest: number): number | null {
  const [, hour = '*', ...date] = cron.trim().split(/\s+/);
  const [day, dayAndHour, minute] = [['*', '*', ...date].join(' '), ['*', hour, ...date].join(' '), cron].map(
    (fields) => createTask(fields, () => {}),
  );
  try {
    let at = Math.floor(now / MINUTE_MS) * MINUTE_MS;
    while (at >= earliest) {
      const time = new Date(at);
      if (minute?.match(time)) return at;
      if (!day?.match(time)) at = time.setHours(0, 0);
      else if (!dayAndHour?.match(time)) at = time.setMinutes(0);
      at -= MINUTE_MS;
    }
    return null;
  } finally {
    for (const task of [day, dayAndHour, minute]) void task?.destroy();
  }
}
