import type { StressReport } from './report.ts';

export interface Comparison {
  readonly figures: readonly Figure[];
  /** What was asked for differently: the figures may differ for that reason alone. */
  readonly differences: readonly string[];
  readonly isWorse: boolean;
}

interface Figure {
  readonly name: string;
  readonly before: number;
  readonly now: number;
  /** Worse by more than the limit. */
  readonly isWorse: boolean;
}

/** Latencies that differ by less than that never count as worse: it is less than timers and schedulers do, in milliseconds. */
const NOISE_MS = 0.5;
/** A greater part of failures counts as worse from that many points on. */
const NOISE_POINTS = 0.1;

/** @param limit - by how much a figure may be worse, as a part of what it was before: 0.1 is 10 %. */
export function compare(before: StressReport, now: StressReport, limit: number): Comparison {
  const latency = (name: 'p50' | 'p95' | 'p99'): Figure => {
    const [then, present] = [before.latency[name], now.latency[name]];
    const isWorse = present > then * (1 + limit) && present - then > NOISE_MS;
    return { name: `${name} ms`, before: then, now: present, isWorse };
  };
  const [failedThen, failedNow] = [failedPercent(before), failedPercent(now)];
  const figures: Figure[] = [
    {
      name: 'answers/s',
      before: before.throughput,
      now: now.throughput,
      isWorse: now.throughput < before.throughput * (1 - limit),
    },
    latency('p50'),
    latency('p95'),
    latency('p99'),
    { name: 'failed %', before: failedThen, now: failedNow, isWorse: failedNow - failedThen > NOISE_POINTS },
  ];
  const asked = ['url', 'method', 'connections', 'rate'] as const;
  const differences = asked
    .filter((name) => before[name] !== now[name])
    .map((name) => `${name} was ${before[name] ?? 'none'}, is ${now[name] ?? 'none'}`);
  return { figures, differences, isWorse: figures.some(({ isWorse }) => isWorse) };
}

/** Requests without an answer, and answers of 5xx, in percent of all requests. */
export function failedPercent({ answers, errors, statuses }: StressReport): number {
  const lost = Object.values(errors).reduce((sum, count) => sum + count, 0);
  const refused = Object.entries(statuses).reduce((sum, [status, count]) => (status >= '500' ? sum + count : sum), 0);
  return answers + lost === 0 ? 0 : (100 * (lost + refused)) / (answers + lost);
}
