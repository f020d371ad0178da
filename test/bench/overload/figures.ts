import type { Visit } from './load.ts';
import { CAPACITY, type Pace } from './plan.ts';

/** Of one candidate in one scenario; NaN: there was none. */
export interface Figures {
  /** Requests that came, in percent of the capacity. */
  readonly offered: number;
  /** Answers with 200 in time, in percent of the capacity. */
  readonly goodput: number;
  /** Milliseconds of these. */
  readonly p50: number;
  readonly p99: number;
  /** Percent of the requests that were told so. */
  readonly refused: number;
  /** How long that took, in milliseconds. */
  readonly refusedP99: number;
  /** Percent of the requests whose client gave up. */
  readonly gaveUp: number;
  /** Seconds from the end of the overload until latencies were as before it; infinite: longer than anybody looked. */
  readonly recovery: number;
  /** By how many milliseconds requests were sent too late (p99). */
  readonly late: number;
}

/** Latencies count as usual again while 95 % are within so many times what 95 % were within before the overload. */
const USUAL_FACTOR = 2;
/** That has to last for so long, in milliseconds, and is looked at so often. */
const USUAL_MS = 1_000;
const STEP_MS = 100;

export function figuresOf(visits: readonly Visit[], { calm, overload, settle, recovery }: Pace): Figures {
  const end = (calm + overload) * 1_000;
  const during = between(visits, (calm + settle) * 1_000, end);
  const good = during.filter(({ status }) => status === 200);
  const refused = during.filter(({ status }) => status !== null && status !== 200);
  const perCapacity = 100 / (CAPACITY * (overload - settle));
  const perRequest = 100 / during.length;
  const usual = USUAL_FACTOR * quantile(between(visits, 1_000, calm * 1_000), 0.95);
  return {
    offered: during.length * perCapacity,
    goodput: good.length * perCapacity,
    p50: quantile(good, 0.5),
    p99: quantile(good, 0.99),
    refused: refused.length * perRequest,
    refusedP99: quantile(refused, 0.99),
    gaveUp: during.filter(({ status }) => status === null).length * perRequest,
    recovery: recoverySeconds(visits, end, end + recovery * 1_000, usual),
    late: quantile(during, 0.99, ({ lateMs }) => lateMs),
  };
}

function recoverySeconds(visits: readonly Visit[], from: number, to: number, usualMs: number): number {
  for (let at = from; at + USUAL_MS <= to; at += STEP_MS) {
    const some = between(visits, at, at + USUAL_MS);
    if (some.every(({ status }) => status === 200) && quantile(some, 0.95) <= usualMs) return (at - from) / 1_000;
  }
  return Number.POSITIVE_INFINITY;
}

/** Those that were due then. */
function between(visits: readonly Visit[], from: number, to: number): readonly Visit[] {
  return visits.filter(({ dueAt }) => dueAt >= from && dueAt < to);
}

function quantile(visits: readonly Visit[], share: number, of = ({ ms }: Visit) => ms): number {
  const times = visits.map(of).toSorted((a, b) => a - b);
  return times[Math.floor(times.length * share)] ?? Number.NaN;
}
