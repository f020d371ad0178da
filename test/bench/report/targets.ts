import { poolRow } from '../cases/many-upstreams.ts';
import { type CaseResult, intervalOf } from '../result.ts';
import type { Interval } from '../statistics.ts';

/** Looks up the median of a metric in the target's case. */
type Find = (subject: string, metric: string) => number | undefined;

interface Target {
  readonly caseName: string;
  readonly text: string;
  readonly bound: 'at most' | 'at least';
  readonly limit: number;
  /** Only where a proxy of two threads has two cores for itself. */
  readonly needsTwoCores?: boolean;
  measure(find: Find): number | undefined;
  /** The row whose interval, where there is one, has to be within the limit as a whole. */
  readonly subject?: string;
}

export interface Verdict {
  readonly text: string;
  readonly bound: Target['bound'];
  readonly limit: number;
  readonly value: number | null;
  /** Where the value is for certain; null: that is not known. */
  readonly interval: Interval | null;
  readonly outcome: 'reached' | 'missed' | 'not certain' | 'not measured' | 'not measurable on this machine';
}

const TARGETS: readonly Target[] = [
  cpu('small-64', 'haproxy', 1.25),
  cpu('small-64', 'caddy', 0.25),
  cpu('small-64', 'hpm', 0.17),
  cpu('small-64', 'middleware', 0.17),
  cpu('1mib', 'haproxy', 1.6),
  pool('round-robin', 1.1),
  pool('random-two-choices', 1.1),
  pool('least-connections', 1.3),
  pool('least-time', 1.3),
  {
    caseName: 'small-64',
    text: 'throughput of two threads, wire-2 ÷ wire-1 (small-64)',
    bound: 'at least',
    limit: 1.7,
    needsTwoCores: true,
    measure: (find) => ratio(find('wire-2', 'requestsPerSecond'), find('wire-1', 'requestsPerSecond')),
  },
  accessLog('json'),
  accessLog('common'),
  accessLog('combined'),
  accessLog('template'),
  {
    caseName: 'idle-connections',
    text: 'MiB more with 5,000 idle connections, wire-1',
    bound: 'at most',
    limit: 60,
    measure: (find) => find('wire-1', 'grownMib'),
  },
  {
    caseName: 'slow-backend',
    text: 'p99 in ms with one slow backend of four, wire-1 least-time',
    bound: 'at most',
    limit: 8,
    measure: (find) => find('wire-1 least-time', 'p99Ms'),
  },
  {
    caseName: 'slow-backend',
    text: 'throughput with one slow backend of four, wire-1 least-time ÷ haproxy leastconn',
    bound: 'at least',
    limit: 1.15,
    measure: (find) =>
      ratio(find('wire-1 least-time', 'requestsPerSecond'), find('haproxy leastconn', 'requestsPerSecond')),
  },
  {
    caseName: 'slow-backend',
    text: 'seconds until a recovered backend has half its fair share again, wire-1 least-time',
    bound: 'at most',
    limit: 5,
    measure: (find) => find('wire-1 least-time', 'recoverySeconds'),
  },
];

/**
 * Judges the targets of the cases that were run.
 * @param twoCoresFree - whether a proxy of two threads had two cores for itself.
 */
export function judge(results: readonly CaseResult[], twoCoresFree: boolean): readonly Verdict[] {
  return results.flatMap((result) => {
    const rowOf = (subject?: string) => result.rows.find((row) => row.subject === subject);
    const find: Find = (subject, metric) => rowOf(subject)?.median?.[metric];
    return TARGETS.filter(({ caseName }) => caseName === result.name).map((target) => {
      const { text, bound, limit, needsTwoCores = false } = target;
      const value = target.measure(find);
      const row = rowOf(target.subject);
      const interval = row === undefined ? null : intervalOf(row, result);
      const measurable = twoCoresFree || !needsTwoCores;
      const outcome = measurable ? outcomeOf(value, interval, target) : 'not measurable on this machine';
      return { text, bound, limit, value: value ?? null, interval, outcome };
    });
  });
}

function outcomeOf(value: number | undefined, interval: Interval | null, target: Target): Verdict['outcome'] {
  if (value === undefined || Number.isNaN(value)) return 'not measured';
  const isWithin = (figure: number) => (target.bound === 'at most' ? figure <= target.limit : figure >= target.limit);
  if (interval !== null && isWithin(interval.low) !== isWithin(interval.high)) return 'not certain';
  return isWithin(value) ? 'reached' : 'missed';
}

function cpu(caseName: string, peer: string, limit: number): Target {
  return {
    caseName,
    text: `CPU per request, wire-1 ÷ ${peer} (${caseName})`,
    bound: 'at most',
    limit,
    measure: (find) => ratio(find('wire-1', 'cpuUs'), find(peer, 'cpuUs')),
  };
}

function accessLog(format: string): Target {
  return {
    caseName: 'access-log',
    text: `CPU per request with an access log, ${format} ÷ none`,
    bound: 'at most',
    limit: 1.1,
    measure: (find) => find(format, 'ratio'),
    subject: format,
  };
}

function pool(algorithm: string, limit: number): Target {
  const cost = (find: Find, size: number) => find(poolRow('wire-1', algorithm, size), 'cpuUs');
  return {
    caseName: 'many-upstreams',
    text: `CPU per request, 1,000 upstreams ÷ 4, wire-1 ${algorithm}`,
    bound: 'at most',
    limit,
    measure: (find) => ratio(cost(find, 1_000), cost(find, 4)),
  };
}

function ratio(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined ? undefined : value / base;
}
