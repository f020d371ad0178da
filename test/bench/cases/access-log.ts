import { startFastBackends } from '../backends/fast-backends.ts';
import type { Bench } from '../bench.ts';
import { heimdall } from '../candidates/heimdall.ts';
import { LOAD_COLUMNS, measureLoad } from '../load/measure.ts';
import { startCandidate } from '../start-candidate.ts';
import type { BenchmarkCase } from './case.ts';

const BACKENDS = 4;
const LOAD = { connections: 64, path: '/' };
/** Of the report's rows. */
const WITHOUT = 'wire-1, no log';

const ROTATION = { maxSize: '100mb', keep: 1 };
const FORMATS: Readonly<Record<string, object | null>> = {
  [WITHOUT]: null,
  'wire-1, json': { output: 'access.log', format: 'json', rotation: ROTATION },
  'wire-1, common': { output: 'access.log', format: 'common', rotation: ROTATION },
  'wire-1, combined': { output: 'access.log', format: 'combined', rotation: ROTATION },
};

/** What a line for each request costs. */
export const accessLog: BenchmarkCase = {
  name: 'access-log',
  title: 'Access log to a file, small keep-alive GET, 64 connections',
  columns: LOAD_COLUMNS,
  ratio: { metric: 'cpuUs', title: 'CPU × no log' },
  subjects: async (bench: Bench) => {
    const backends = await bench.ports.take(BACKENDS);
    await startFastBackends(bench, backends);
    return Object.entries(FORMATS).map(([name, log]) => ({
      name,
      baseline: WITHOUT,
      start: async () => {
        const proxy = await startCandidate(bench, heimdall(name, { engine: 'wire', threads: 1 }, log), backends);
        return () => measureLoad(bench, proxy, LOAD);
      },
    }));
  },
};
