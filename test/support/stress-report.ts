import type { StressReport } from '../../pkg/stress-test/report.ts';

const LATENCY = { count: 1_000, mean: 2, p50: 1, p90: 3, p95: 5, p99: 10, p999: 20, max: 30 };

/** The report of a run that went well. */
export function stressReport(changes: Partial<StressReport> = {}): StressReport {
  return {
    format: 'heimdall-stress-1',
    url: 'http://localhost:8080/',
    method: 'GET',
    connections: 64,
    rate: 100,
    startedAt: '2026-11-21T18:00:00.000Z',
    seconds: 10,
    wasInterrupted: false,
    answers: 1_000,
    throughput: 100,
    statuses: { '200': 1_000 },
    errors: {},
    latency: LATENCY,
    service: LATENCY,
    bars: [0, 0, 0, 600, 300, 60, 30, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    by: null,
    timeline: [
      { at: 1, answers: 100, failures: 0, p50: 1, p99: 10 },
      { at: 2, answers: 100, failures: 0, p50: 1, p99: 12 },
    ],
    generatorBusy: 0.1,
    ...changes,
  };
}
