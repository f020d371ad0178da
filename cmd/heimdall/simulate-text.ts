import type { Calibration } from '../../internal/simulation/calibration.ts';
import type { Figures } from '../../internal/simulation/ledger.ts';
import type { Course } from '../../internal/simulation/replay.ts';
import type { Scenario } from '../../internal/simulation/scenario.ts';
import type { Performance } from '../../internal/simulation/simulate-scenario.ts';
import { aligned } from './aligned.ts';

/** Of more upstreams the table shows only the least and the greatest share. */
const MOST_COLUMNS = 8;
const LATENCIES = ['p50 ms', 'p95 ms', 'p99 ms', 'mean ms', 'failed %'];

export interface ScenarioReport {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Load balancers before the same backends. */
  readonly balancers: number;
  readonly results: readonly Performance[];
}

/** What an access log shows, and what other algorithms would have made of it. */
export interface ReplayReport {
  readonly file: string;
  readonly service: string;
  readonly seed: number;
  /** That was in use; null: the log does not tell. */
  readonly algorithm: string | null;
  /** Requests by another one. */
  readonly otherwise: number;
  readonly seconds: number;
  /** The file goes on, but no more of it was read. */
  readonly isCut: boolean;
  /** Lines that were left out, by the reason. */
  readonly unusable: Readonly<Record<string, number>>;
  readonly upstreams: readonly { readonly id: string; readonly workers: number }[];
  readonly recorded: Course;
  readonly simulated: readonly (Course & { readonly algorithm: string })[];
  /** Null: nothing to compare with. */
  readonly calibration: Calibration | null;
}

export function scenarioText({ scenario, seed, balancers, results }: ScenarioReport): string {
  const { name, title, rate, watch, backends } = scenario;
  const ids = backends.map(({ id }) => id);
  const heading = ['', ...LATENCIES, ...ids.map((id) => `${id} %`), `${watch.backend} at most %`];
  const rows = results.map(({ algorithm, shares, watched, ...figures }) => [
    algorithm,
    ...latencies(figures),
    ...ids.map((id) => percent(shares[id] ?? 0)),
    percent(watched.greatest),
    ...(watch.returns ? [watched.backAfter === Number.POSITIVE_INFINITY ? 'never' : String(watched.backAfter)] : []),
  ]);
  const table = aligned([watch.returns ? [...heading, `${watch.backend} back after s`] : heading, ...rows]);
  const through = balancers === 1 ? '' : ` through ${balancers} load balancers`;
  return `${name}: ${title} (${rate} requests/s${through}, seed ${seed})\n\n${table}`;
}

export function replayText(report: ReplayReport): string {
  const { recorded, simulated, algorithm, upstreams } = report;
  const few = upstreams.length <= MOST_COLUMNS;
  const shares = (course: Course) => {
    const all = upstreams.map(({ id }) => course.shares[id] ?? 0);
    return (few ? all : [Math.min(...all), Math.max(...all)]).map(percent);
  };
  const row = (name: string, course: Course) => [name, ...latencies(course), ...shares(course)];
  const columns = few ? upstreams.map((_, n) => `[${n + 1}] %`) : ['least %', 'most %'];
  const table = aligned([
    ['', ...LATENCIES, ...columns],
    row('recorded', recorded),
    ...simulated.map((course) =>
      row(course.algorithm === algorithm ? `${course.algorithm} *` : course.algorithm, course),
    ),
  ]);
  return [...opening(report), '', table, ...closing(report), ''].join('\n');
}

function opening({
  file,
  service,
  recorded,
  algorithm,
  seconds,
  isCut,
  otherwise,
  unusable,
  upstreams,
}: ReplayReport): string[] {
  const by = algorithm === null ? '' : ` by ${algorithm}`;
  const left = Object.entries(unusable).map(([why, count]) => `  left out: ${count} lines that ${why}`);
  return [
    `${file}: ${recorded.requests} requests to ${service} in ${seconds.toFixed(0)} s${by}`,
    ...left,
    ...(isCut ? ['  the file is longer: only its beginning was read'] : []),
    ...(otherwise > 0 ? [`  ${otherwise} of the requests went by another algorithm`] : []),
    ...(upstreams.length <= MOST_COLUMNS
      ? upstreams.map((upstream, n) => `  [${n + 1}] ${upstreamText(upstream)}`)
      : []),
  ];
}

function upstreamText({ id, workers }: { readonly id: string; readonly workers: number }): string {
  if (!Number.isFinite(workers)) return `${id}: no slower with more requests at a time, as far as was seen`;
  return `${id}: behaves as if it worked on ${workers} at a time`;
}

function closing({ algorithm, calibration }: ReplayReport): string[] {
  if (algorithm === null)
    return ['The log does not tell which algorithm was in use: there is nothing to check the simulation by.'];
  if (calibration === null)
    return [`${algorithm} was in use, which cannot be simulated: there is nothing to check by.`];
  const { p50, p95, p99, share } = calibration;
  const [low, middle, high] = [p50, p95, p99].map(deviation);
  return [
    `* was in use: its simulation has a p50 ${low}, p95 ${middle}, p99 ${high} of the recorded one, shares within ` +
      `${(100 * share).toFixed(1)} points.`,
    'Differences between algorithms that are smaller than that mean nothing.',
  ];
}

function latencies({ p50, p95, p99, mean, failed }: Figures): string[] {
  return [...[p50, p95, p99].map(milliseconds), milliseconds(mean), (100 * failed).toFixed(2)];
}

/** A percentile that so many requests failed to reach is none. */
function milliseconds(value: number): string {
  return Number.isFinite(value) ? value.toFixed(1) : 'failed';
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function deviation(ratio: number): string {
  if (Number.isNaN(ratio)) return 'that cannot be compared with that';
  return `${ratio < 0 ? '−' : '+'}${Math.abs(100 * ratio).toFixed(0)} %`;
}
