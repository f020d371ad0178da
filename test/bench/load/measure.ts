import type { Bench } from '../bench.ts';
import type { Column, Sample } from '../cases/case.ts';
import { cpuTime } from '../proc/cpu-time.ts';
import type { RunningProxy } from '../start-candidate.ts';
import { type Load, runWrk } from './wrk.ts';

/** What `measureLoad` tells. */
export const LOAD_COLUMNS: readonly Column[] = [
  { metric: 'requestsPerSecond', title: 'requests/s', digits: 0 },
  { metric: 'p50Ms', title: 'p50 ms', digits: 2 },
  { metric: 'p99Ms', title: 'p99 ms', digits: 2 },
  { metric: 'cpuUs', title: 'CPU µs/request', digits: 1 },
  { metric: 'cpuPercent', title: 'CPU %', digits: 0 },
];

/**
 * Loads a proxy for one window, right after a warm-up of its own. The window's connections are opened within it.
 * @throws {Error} when any request failed: such a window compares nothing.
 */
export async function measureLoad(bench: Bench, proxy: RunningProxy, load: Load): Promise<Sample> {
  await warmUp(bench, proxy, load);
  return measureWindow(bench, proxy, load);
}

export async function warmUp(bench: Bench, proxy: RunningProxy, load: Load): Promise<void> {
  await runWrk(bench, proxy.port, load, bench.pace.warmUpSeconds);
}

export async function measureWindow(bench: Bench, proxy: RunningProxy, load: Load): Promise<Sample> {
  const before = await cpuTime(proxy.pid);
  const report = await runWrk(bench, proxy.port, load, bench.pace.windowSeconds);
  const cpuUs = (await cpuTime(proxy.pid)) - before;
  return {
    requestsPerSecond: (report.requests / report.durationUs) * 1_000_000,
    p50Ms: report.p50Us / 1_000,
    p90Ms: report.p90Us / 1_000,
    p99Ms: report.p99Us / 1_000,
    cpuUs: cpuUs / report.requests,
    cpuPercent: (cpuUs / report.durationUs) * 100,
  };
}
