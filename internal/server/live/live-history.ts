import type { LiveHistory, LiveInstance, LiveState, Series, Traffic } from '../../model/live.ts';
import { SAMPLE_SPAN_MS, SAMPLES_KEPT_MS, spanOf, type TrafficSample } from '../../model/traffic-sample.ts';
import { threeDigits } from './three-digits.ts';
import { TrafficSums } from './traffic-sums.ts';
import { type UnderWay, underWay } from './under-way.ts';
import type { UsageHistory } from './usage-history.ts';

const POINTS = SAMPLES_KEPT_MS / SAMPLE_SPAN_MS;
/** So much later than its span a sample may begin, in milliseconds: heartbeats do not keep to spans. */
const LATE_MS = 1_500;

export interface HistoryParts {
  readonly samples: Iterable<TrafficSample>;
  readonly usage: UsageHistory;
  readonly state: Pick<LiveState, 'services' | 'instances'>;
  /** Since when there are load balancers that tell; epoch milliseconds; infinite: there are none. */
  readonly knownSince: number;
}

/** One point of all series. */
interface Span {
  readonly number: number;
  /** Epoch milliseconds. */
  readonly end: number;
  readonly sums: TrafficSums;
  readonly underWay: UnderWay;
}

/** The last 15 minutes of what there is now. The present span is not over, and no point of it. @param now - epoch milliseconds. */
export function historyOf({ samples, usage, state, knownSince }: HistoryParts, now: number): LiveHistory {
  const spans = spansBefore(spanOf(now), samples);
  const services = state.services.map(({ name }) => [name, ofService(name, spans, knownSince)] as const);
  const instances = state.instances.map(
    (instance) => [instance.id, ofInstance(instance, spans, knownSince, usage)] as const,
  );
  return {
    until: spanOf(now) * SAMPLE_SPAN_MS,
    stepMs: SAMPLE_SPAN_MS,
    services: Object.fromEntries(services),
    instances: Object.fromEntries(instances),
  };
}

function spansBefore(present: number, samples: Iterable<TrafficSample>): Span[] {
  const bySpan = Map.groupBy(samples, ({ from }) => spanOf(from));
  return Array.from({ length: POINTS }, (_, at) => {
    const number = present - POINTS + at;
    const own = bySpan.get(number) ?? [];
    const sums = new TrafficSums();
    for (const sample of own) sums.add(sample, lengthOf(sample));
    return { number, end: (number + 1) * SAMPLE_SPAN_MS, sums, underWay: underWay(own) };
  });
}

/** How long the span was for the load balancer, in milliseconds: where its sample does not reach, nothing happened. */
function lengthOf({ from, until }: TrafficSample): number {
  const begin = spanOf(from) * SAMPLE_SPAN_MS;
  return Math.max(until, begin + SAMPLE_SPAN_MS) - (from - begin <= LATE_MS ? from : begin);
}

function ofService(name: string, spans: readonly Span[], knownSince: number): LiveHistory['services'][string] {
  const points = spans.map(({ end, sums, underWay: { onService } }) =>
    end > knownSince ? sums.ofService(name, onService.get(name) ?? 0) : null,
  );
  return {
    rps: series(points, ({ rps }) => rps),
    errorRate: series(points, ({ errorRate }) => errorRate),
    p50: series(points, ({ p50 }) => p50),
    p95: series(points, ({ p95 }) => p95),
    p99: series(points, ({ p99 }) => p99),
    inFlight: series(points, ({ inFlight }) => inFlight),
  };
}

function ofInstance(
  { id, startedAt }: LiveInstance,
  spans: readonly Span[],
  knownSince: number,
  usage: UsageHistory,
): LiveHistory['instances'][string] {
  const since = Math.max(knownSince, startedAt === null ? 0 : Date.parse(startedAt));
  const points = spans.map(({ end, sums }): Traffic | null => (end > since ? sums.ofInstance(id, 0) : null));
  const used = spans.map(({ number }) => usage.of(id, number) ?? null);
  return {
    rps: series(points, ({ rps }) => rps),
    errorRate: series(points, ({ errorRate }) => errorRate),
    p99: series(points, ({ p99 }) => p99),
    cpu: series(used, ({ cpu }) => cpu && threeDigits(cpu)),
    memory: series(used, ({ memory }) => threeDigits(memory)),
  };
}

/** @param points - null where nothing is known. */
function series<T>(points: readonly (T | null)[], figureOf: (point: T) => number | null): Series {
  const figures = points.map((point) => point && figureOf(point));
  return figures.every((figure) => figure === null) ? [] : figures;
}
