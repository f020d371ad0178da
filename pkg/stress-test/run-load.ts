import { performance } from 'node:perf_hooks';
import autocannon from 'autocannon';
import { Dispatcher } from './dispatcher.ts';
import { Lane } from './lane.ts';
import type { Second, StressReport } from './report.ts';
import { Tally } from './tally.ts';

export interface LoadPlan {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
  readonly connections: number;
  /** How long requests are sent; those on their way may take `timeoutMs` more. */
  readonly durationMs: number;
  readonly timeoutMs: number;
  /** Requests each second; null: each connection sends as soon as it has an answer. */
  readonly rate: number | null;
  /** The header of the answers by which they are counted apart. */
  readonly by: string | null;
}

/** How far a run is. */
export interface Progress {
  /** Part of the duration. */
  readonly done: number;
  readonly answers: number;
  readonly failures: number;
  readonly second: Second;
  readonly bars: readonly number[];
}

/** When requests on their way are given up in an interrupted run, in milliseconds. */
const LAST_WORDS_MS = 1_000;
/** Between two looks for requests that take too long. */
const SWEEP_MS = 50;
/** In seconds: autocannon shall never end anything by itself. */
const NEVER = 2_000_000;

/**
 * Sends requests as planned, and resolves with what became of them when all are answered or given up; also when the signal ends it
 * early. A target that cannot be reached is no error of this function, but counted.
 */
export async function runLoad(
  plan: LoadPlan,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (progress: Progress) => void },
): Promise<StressReport> {
  const startedAt = new Date().toISOString();
  const tally = new Tally(plan.by, performance.now());
  const dispatcher = new Dispatcher(plan, tally);
  const cannon = autocannon({
    ...requestOf(plan),
    connections: plan.connections,
    duration: NEVER,
    timeout: NEVER,
    sampleInt: SWEEP_MS,
    setupClient: (client) => dispatcher.add(new Lane(client, dispatcher)),
  });
  const busy = performance.eventLoopUtilization();
  const startMs = performance.now();
  dispatcher.start(startMs);
  const sweep = setInterval(() => dispatcher.sweep(performance.now()), SWEEP_MS);
  const report = setInterval(() => {
    const second = tally.tick(performance.now());
    const done = Math.min(1, (performance.now() - startMs) / plan.durationMs);
    if (second !== null)
      onProgress({ done, answers: tally.answers, failures: tally.failures, second, bars: tally.bars });
  }, 1_000);
  const interrupt = () => dispatcher.end(performance.now(), LAST_WORDS_MS);
  signal.addEventListener('abort', interrupt, { once: true });
  if (signal.aborted) interrupt();
  const seconds = (await dispatcher.ended) / 1_000;
  signal.removeEventListener('abort', interrupt);
  clearInterval(sweep);
  clearInterval(report);
  tally.tick(performance.now());
  const generatorBusy = performance.eventLoopUtilization(busy).utilization;
  cannon.stop();
  await cannon;
  const { url, method, connections, rate } = plan;
  const counted = tally.result();
  return {
    format: 'heimdall-stress-1',
    ...{ url, method, connections, rate, startedAt, seconds: Math.round(100 * seconds) / 100 },
    wasInterrupted: signal.aborted,
    throughput: seconds === 0 ? 0 : Math.round((10 * counted.answers) / seconds) / 10,
    ...counted,
    generatorBusy: Math.round(100 * generatorBusy) / 100,
  };
}

function requestOf({ url, method, headers, body }: LoadPlan) {
  return { url, method, headers, ...(body === undefined ? {} : { body }) };
}
