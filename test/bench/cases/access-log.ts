import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFastBackends } from '../backends/fast-backends.ts';
import type { Bench } from '../bench.ts';
import { heimdall } from '../candidates/heimdall.ts';
import { warmUp } from '../load/measure.ts';
import { runWrk } from '../load/wrk.ts';
import { cpuTime } from '../proc/cpu-time.ts';
import { type RunningProxy, startCandidate } from '../start-candidate.ts';
import { median } from '../statistics.ts';
import type { BenchmarkCase, Sample } from './case.ts';

const BACKENDS = 4;
const LOAD = { connections: 64, path: '/' };
/** Interleaved so that a machine which becomes faster or slower all the time favours neither; each with (1) follows or is followed by one without (0). */
const ORDER = [0, 1, 1, 0, 0, 1, 1, 0];
const PACE = { warmUpSeconds: 1, windowSeconds: 1 };
/** Six of three rounds are the least that give an interval. */
const TURNS = 2;
/** After a window, until the last lines of it are in the file, in milliseconds. */
const SETTLE_MS = 200;

const ROTATION = { maxSize: '100mb', keep: 1 };
const TEMPLATE = '{time} {id} {client} "{request}" {status} {termination} {upstream} {headMs} {totalMs} {sentBytes}';
/** Null: none, to see what two processes differ by on their own. */
const FORMATS: Readonly<Record<string, string | null>> = {
  'no log, another process': null,
  json: 'json',
  common: 'common',
  combined: 'combined',
  template: TEMPLATE,
};

/**
 * What a line for each request costs. Every turn starts a process with a log and one without, as two processes of the same program may differ by some
 * percent as long as they run; it loads them by turns in short windows, and takes the median of the ratios of neighbours.
 */
export const accessLog: BenchmarkCase = {
  name: 'access-log',
  title:
    'Access log to a file against none, small keep-alive GET, 64 connections, wire-1; new processes for each round',
  columns: [
    { metric: 'requestsPerSecond', title: 'requests/s', digits: 0 },
    { metric: 'withoutUs', title: 'CPU µs/request without', digits: 1 },
    { metric: 'cpuUs', title: 'with', digits: 1 },
  ],
  ratio: { metric: 'ratio', title: 'with ÷ without (95 %)', isPaired: true },
  turns: TURNS,
  subjects: async (bench: Bench) => {
    const backends = await bench.ports.take(BACKENDS);
    await startFastBackends(bench, backends);
    return Object.entries(FORMATS).map(([name, format]) => ({
      name,
      baseline: name,
      start: async () => () => compare({ ...bench, pace: { ...bench.pace, ...PACE } }, backends, format),
    }));
  },
};

/** @param format - of the log of the process that is compared with one that has none. */
async function compare(bench: Bench, backends: readonly number[], format: string | null): Promise<Sample> {
  const output = join(bench.workshop.folder, 'access.log'); // the same for all, so that it is bounded
  const log = format === null ? null : { output, format, rotation: ROTATION };
  const proxies: RunningProxy[] = [];
  try {
    for (const accessLog of [null, log]) {
      const candidate = heimdall('wire-1', { engine: 'wire', threads: 1 }, accessLog);
      const proxy = await startCandidate(bench, candidate, backends);
      proxies.push(proxy);
      await warmUp(bench, proxy, LOAD);
    }
    return await measureByTurns(bench, proxies);
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  }
}

/** @param proxies - without a log, and with one. */
async function measureByTurns(bench: Bench, proxies: readonly RunningProxy[]): Promise<Sample> {
  const costs: number[][] = [[], []];
  let requests = 0;
  for (const which of ORDER) {
    const proxy = proxies[which];
    if (proxy === undefined) throw new Error('there are two proxies');
    const before = await cpuTime(proxy.pid);
    const report = await runWrk(bench, proxy.port, LOAD, bench.pace.windowSeconds);
    await sleep(SETTLE_MS);
    costs[which]?.push(((await cpuTime(proxy.pid)) - before) / report.requests);
    requests += report.requests;
  }
  const [without = [], withLog = []] = costs;
  return {
    requestsPerSecond: requests / ORDER.length / bench.pace.windowSeconds,
    withoutUs: median(without),
    cpuUs: median(withLog),
    ratio: median(withLog.map((cost, pair) => cost / (without[pair] ?? Number.NaN))),
  };
}
