import { setTimeout as sleep } from 'node:timers/promises';
import { ALGORITHMS } from '../../../internal/model/algorithms.ts';
import { DelayedBackends } from '../backends/delayed-backends.ts';
import type { Bench } from '../bench.ts';
import { LOAD_COLUMNS, measureWindow, warmUp } from '../load/measure.ts';
import { runWrk } from '../load/wrk.ts';
import { type RunningProxy, startCandidate } from '../start-candidate.ts';
import type { BenchmarkCase, Sample } from './case.ts';
import { type CountsAt, recoverySeconds, shareOf } from './recovery.ts';

const SLOW = 0;
const DELAYS_MS = [52, 2, 2, 2];
const RECOVERED_MS = [2, 2, 2, 2];
const SAMPLE_MS = 250;

/** Every request asks for a path of its own, so that a hash of it spreads them. */
const LOAD = {
  connections: 32,
  path: '/',
  script: `
local n = 0
request = function()
  n = n + 1
  return wrk.format('GET', '/' .. n)
end
`,
};

/** Of ours every one, of the peers the one that copes best. */
const COMPARED: Readonly<Record<string, readonly string[]>> = {
  'wire-1': ALGORITHMS,
  middleware: ['least-time'],
  haproxy: ['leastconn'],
  nginx: ['least_conn'],
  caddy: ['least_conn'],
};

/** What one slow backend of four does to everybody's latency, and how soon it is used again once it is fast. */
export const slowBackend: BenchmarkCase = {
  name: 'slow-backend',
  title: 'One of four backends 50 ms slower (52 ms, the others 2 ms), 32 connections',
  columns: [
    ...LOAD_COLUMNS.slice(0, 2),
    { metric: 'p90Ms', title: 'p90 ms', digits: 2 },
    { metric: 'p99Ms', title: 'p99 ms', digits: 2 },
    { metric: 'slowPercent', title: 'slow one’s share %', digits: 2 },
    { metric: 'recoverySeconds', title: 'recovers in s', digits: 1 },
    { metric: 'recoveredPercent', title: 'share then %', digits: 1 },
    { metric: 'cpuUs', title: 'CPU µs/request', digits: 1 },
  ],
  ratio: { metric: 'requestsPerSecond', title: 'requests/s × HAProxy' },
  subjects: async (bench) => {
    const backends = await DelayedBackends.start(bench, DELAYS_MS.length);
    return bench.candidates.flatMap((candidate) =>
      (COMPARED[candidate.name] ?? []).map((algorithm) => ({
        name: `${candidate.name} ${algorithm}`,
        baseline: 'haproxy leastconn',
        start: async () => {
          const proxy = await startCandidate(bench, candidate, backends.ports, algorithm);
          return () => measureSlow(bench, backends, proxy);
        },
      })),
    );
  },
};

async function measureSlow(bench: Bench, backends: DelayedBackends, proxy: RunningProxy): Promise<Sample> {
  backends.delay(DELAYS_MS);
  await warmUp(bench, proxy, LOAD);
  const before = await countsOf(backends);
  const load = await measureWindow(bench, proxy, LOAD);
  const slow = shareOf(SLOW, before, await countsOf(backends));
  return { ...load, slowPercent: slow * 100, ...(await measureRecovery(bench, backends, proxy)) };
}

/** The slow one becomes as fast as the others while requests come in. */
async function measureRecovery(bench: Bench, backends: DelayedBackends, proxy: RunningProxy): Promise<Sample> {
  const history: CountsAt[] = [];
  const over = new AbortController();
  const watch = async () => {
    await sleep(SAMPLE_MS);
    backends.delay(RECOVERED_MS);
    while (!over.signal.aborted) {
      history.push(await countsOf(backends));
      await sleep(SAMPLE_MS);
    }
  };
  const load = runWrk(bench, proxy.port, LOAD, bench.pace.recoverySeconds).finally(() => over.abort());
  await Promise.all([load, watch()]);
  const [lastButSome, last] = [history.at(-5), history.at(-1)];
  const share = lastButSome && last ? shareOf(SLOW, lastButSome, last) : Number.NaN;
  return { recoverySeconds: recoverySeconds(SLOW, history), recoveredPercent: share * 100 };
}

async function countsOf(backends: DelayedBackends): Promise<CountsAt> {
  return { counts: await backends.counts(), atMs: performance.now() };
}
