import { createTask } from 'node-cron';
import type { Autoscale } from '../../internal/model/rollout.ts';

export type CalendarRule = Autoscale['schedule'][number];

const MINUTE_MS = 60_000;
/** How far back a rule may have come into force: a month, and a day for the longest one. */
const LOOK_BACK_MINUTES = 32 * 24 * 60;

/** The rule whose time came last; of two at the same time the one that stands last. Null when none did within a month. */
export function latestRule(rules: readonly CalendarRule[], now: Date): CalendarRule | null {
  if (rules.length === 0) return null;
  const tasks = rules.map(({ cron }) => createTask(cron, () => {}));
  const minute = Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS;
  try {
    for (let back = 0; back < LOOK_BACK_MINUTES; back += 1) {
      const date = new Date(minute - back * MINUTE_MS);
      const index = tasks.findLastIndex((task) => task.match(date));
      if (index !== -1) return rules[index] ?? null;
    }
    return null;
  } finally {
    for (const task of tasks) void task.destroy();
  }
}
