import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFastBackends } from '../backends/fast-backends.ts';
import type { Bench } from '../bench.ts';
import { heimdall } from '../candidates/heimdall.ts';
import { runWrk } from '../load/wrk.ts';
import type { WrkReport } from '../load/wrk-report.ts';
import { cpuTime } from '../proc/cpu-time.ts';
import { type RunningProxy, startCandidate } from '../start-candidate.ts';
import { median } from '../statistics.ts';
import type { BenchmarkCase, Sample } from './case.ts';

const BACKENDS = 4;
/** Each connection asks again 6 ms after its answer: at most some 20,000 requests/s for each of the two processes, as many as one core carries of both. */
const LOAD = { connections: 128, path: '/', script: 'function delay() return 6 end\n' };
/** Until the code that writes lines is compiled as well as the rest: some hundred thousand requests. */
const WARM_UP_SECONDS = 10;
const WINDOWS = 6;
const WINDOW_SECONDS = 2;
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
 * percent as long as they run. Both are loaded at the same time, on the same core: what the machine does besides slows both down.
 */
export const accessLog: BenchmarkCase = {
  name: 'access-log',
  title:
    'Access log to a file against none, small keep-alive GET at up to 20,000 requests/s, wire-1; both processes at once, new ones for each round',
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
      start: async () => () => compare(bench, backends, format),
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
      proxies.push(await startCandidate(bench, candidate, backends));
    }
    const [without, withLog] = proxies;
    if (without === undefined || withLog === undefined) throw new Error('there are two proxies');
    return await measureTogether(bench, without, withLog);
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  }
}

async function measureTogether(bench: Bench, without: RunningProxy, withLog: RunningProxy): Promise<Sample> {
  const load = (seconds: number): Promise<readonly [WrkReport, WrkReport]> =>
    Promise.all([runWrk(bench, without.port, LOAD, seconds), runWrk(bench, withLog.port, LOAD, seconds)]);
  const times = (): Promise<readonly [number, number]> => Promise.all([cpuTime(without.pid), cpuTime(withLog.pid)]);
  await load(WARM_UP_SECONDS);
  const windows: { withoutUs: number; withUs: number; requests: number }[] = [];
  for (let window = 0; window < WINDOWS; window += 1) {
    const before = await times();
    const reports = await load(WINDOW_SECONDS);
    await sleep(SETTLE_MS);
    const after = await times();
    windows.push({
      withoutUs: (after[0] - before[0]) / reports[0].requests,
      withUs: (after[1] - before[1]) / reports[1].requests,
      requests: reports[1].requests,
    });
  }
  return {
    requestsPerSecond: median(windows.map(({ requests }) => requests / WINDOW_SECONDS)),
    withoutUs: median(windows.map(({ withoutUs }) => withoutUs)),
    cpuUs: median(windows.map(({ withUs }) => withUs)),
    ratio: median(windows.map(({ withoutUs, withUs }) => withUs / withoutUs)),
  };
}
