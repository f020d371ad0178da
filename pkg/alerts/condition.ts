import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock/clock.ts';
import type { Alert } from './alert.ts';
import type { Outage } from './store.ts';

/** What the dispatcher knows of one time that a condition holds, or held. */
export interface Condition {
  /** Of the outage in the history. */
  id: string;
  alert: Alert;
  active: boolean;
  resolvedAt: number | null;
  /** People were told that it is firing, and not yet that it ended. */
  told: boolean;
  /** When messages announced it within the last `repeatAfterMs`, in milliseconds of the monotonic clock, oldest first. */
  announced: readonly number[];
  /** Beginnings since the last message. */
  occurrences: number;
  /** Taken over from a process that is gone, and not raised since. */
  inherited: boolean;
}

/** @param before - the last time that the same condition held, when that is not forgotten yet. */
export function begun(alert: Alert, before: Condition | undefined): Condition {
  return {
    id: randomUUID(),
    alert,
    active: true,
    resolvedAt: null,
    told: false,
    announced: before?.announced ?? [],
    occurrences: (before?.occurrences ?? 0) + 1,
    inherited: false,
  };
}

/** As it is stored. @param pending - whether a message about it is due. */
export function outageOf(condition: Condition, pending: boolean, clock: Clock): Outage {
  const { id, alert, active, resolvedAt, told, announced, occurrences } = condition;
  const offset = clock.now() - clock.monotonic();
  return {
    id,
    alert,
    resolvedAt: active ? null : (resolvedAt ?? alert.at),
    told,
    announced: announced.map((at) => at + offset),
    occurrences,
    open: active || told || pending,
  };
}

export function conditionOf(outage: Outage, clock: Clock): Condition {
  const { id, alert, resolvedAt, told, announced, occurrences } = outage;
  const offset = clock.now() - clock.monotonic();
  const now = clock.monotonic();
  return {
    id,
    alert,
    active: resolvedAt === null,
    resolvedAt,
    told,
    announced: announced.map((at) => Math.min(now, at - offset)), // a clock that was set back must not silence anything
    occurrences,
    inherited: true,
  };
}
