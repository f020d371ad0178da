import { startFastBackends } from '../backends/fast-backends.ts';
import type { Bench } from '../bench.ts';
import { LOAD_COLUMNS, measureLoad } from '../load/measure.ts';
import { startCandidate } from '../start-candidate.ts';
import type { BenchmarkCase } from './case.ts';

const FEW = 4;
const MANY = 1_000;
const LOAD = { connections: 64, path: '/' };

/** Whose cost may grow with the pool, by candidate. */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  'wire-1': ['round-robin', 'random-two-choices', 'least-connections', 'least-time'],
  middleware: ['round-robin'],
  haproxy: ['roundrobin', 'leastconn'],
  nginx: ['least_conn'],
  caddy: ['round_robin', 'least_conn'],
};

/** What a large pool costs, compared with a small one. */
export const manyUpstreams: BenchmarkCase = {
  name: 'many-upstreams',
  title: '1,000 upstreams in a pool, small keep-alive GET, 64 connections',
  columns: LOAD_COLUMNS,
  ratio: { metric: 'cpuUs', title: `CPU × ${FEW} upstreams` },
  subjects: async (bench: Bench) => {
    const ports = await bench.ports.take(MANY);
    await startFastBackends(bench, ports);
    return bench.candidates.flatMap((candidate) =>
      (ALGORITHMS[candidate.name] ?? []).flatMap((algorithm) =>
        [FEW, MANY].map((size) => ({
          name: poolRow(candidate.name, algorithm, size),
          baseline: poolRow(candidate.name, algorithm, FEW),
          start: async () => {
            const proxy = await startCandidate(bench, candidate, ports.slice(0, size), algorithm);
            return () => measureLoad(bench, proxy, LOAD);
          },
        })),
      ),
    );
  },
};

/** The row of a pool of that size. */
export function poolRow(candidate: string, algorithm: string, size: number): string {
  return `${candidate} ${algorithm}, ${size}`;
}
