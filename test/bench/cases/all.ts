import { accessLog } from './access-log.ts';
import type { BenchmarkCase } from './case.ts';
import { idleConnections } from './idle-connections.ts';
import { manyUpstreams } from './many-upstreams.ts';
import { slowBackend } from './slow-backend.ts';
import { THROUGHPUT_CASES } from './throughput.ts';

/** In the order of the report. */
export const CASES: readonly BenchmarkCase[] = [
  ...THROUGHPUT_CASES,
  idleConnections,
  manyUpstreams,
  slowBackend,
  accessLog,
];
