import type { Course } from './replay.ts';

/** How far a simulation is from what was recorded, by the same algorithm. */
export interface Calibration {
  /** Simulated by recorded, less 1: 0 is exact. NaN when either of them is not finite. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** The greatest difference between the shares of any upstream, 0 to 1. */
  readonly share: number;
}

export function calibrate(recorded: Course, simulated: Course): Calibration {
  const off = (of: (course: Course) => number) => {
    const ratio = of(simulated) / of(recorded) - 1;
    return Number.isFinite(ratio) ? ratio : Number.NaN;
  };
  const differences = Object.entries(recorded.shares).map(([id, share]) =>
    Math.abs(share - (simulated.shares[id] ?? 0)),
  );
  return {
    p50: off(({ p50 }) => p50),
    p95: off(({ p95 }) => p95),
    p99: off(({ p99 }) => p99),
    share: Math.max(0, ...differences),
  };
}
