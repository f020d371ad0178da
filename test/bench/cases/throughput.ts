import { startFastBackends } from '../backends/fast-backends.ts';
import type { Bench } from '../bench.ts';
import { LOAD_COLUMNS, measureLoad } from '../load/measure.ts';
import type { Load } from '../load/wrk.ts';
import { startCandidate } from '../start-candidate.ts';
import type { BenchmarkCase } from './case.ts';

const BACKENDS = 4;

const POST_10_KIB = `
wrk.method = 'POST'
wrk.body = string.rep('x', 10240)
wrk.headers['Content-Type'] = 'application/octet-stream'
`;
const CLOSE = `wrk.headers['Connection'] = 'close'`;

/** Every candidate, round robin over four backends, under one kind of load each. */
export const THROUGHPUT_CASES: readonly BenchmarkCase[] = [
  throughput('small-64', 'Small keep-alive GET, 64 connections', { connections: 64, path: '/' }),
  throughput('small-512', 'Small keep-alive GET, 512 connections', { connections: 512, path: '/' }),
  throughput('1mib', '1 MiB responses, 16 connections', { connections: 16, path: '/1mib' }),
  throughput('post-10kib', 'POST of 10 KiB, 64 connections', { connections: 64, path: '/', script: POST_10_KIB }),
  throughput('new-connections', 'A new connection per request, 64 at a time', {
    connections: 64,
    path: '/',
    script: CLOSE,
  }),
];

function throughput(name: string, title: string, load: Load): BenchmarkCase {
  return {
    name,
    title,
    columns: LOAD_COLUMNS,
    ratio: { metric: 'cpuUs', title: 'CPU × HAProxy' },
    subjects: async (bench: Bench) => {
      const backends = await bench.ports.take(BACKENDS);
      await startFastBackends(bench, backends);
      return bench.candidates.map((candidate) => ({
        name: candidate.name,
        baseline: 'haproxy',
        start: async () => {
          const proxy = await startCandidate(bench, candidate, backends);
          return () => measureLoad(bench, proxy, load);
        },
      }));
    },
  };
}
