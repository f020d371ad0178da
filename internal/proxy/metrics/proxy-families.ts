import { type Family, single } from '../../../pkg/metrics/family.ts';
import type { LoopReading } from '../../../pkg/metrics/loop-reading.ts';
import { processFamilies } from '../../../pkg/metrics/process-families.ts';
import type { SpanCounts } from '../../../pkg/tracing/span.ts';
import type { AccessLogCounts } from '../access-log/access-log.ts';
import type { RateLimits } from '../rate-limit/rate-limits.ts';
import { rateLimitsView } from '../rate-limit/view.ts';
import type { ServicePool } from '../service-pool.ts';
import { instanceFamilies } from './instance-families.ts';
import type { ThreadReading } from '../thread-reading.ts';
import { serviceFamilies } from './service-families.ts';
import { threadFamilies } from './thread-families.ts';

/** What the metrics of a load balancer are made of. */
export interface ProxyFacts {
  readonly version: string;
  readonly engine: string;
  readonly registry: { readonly available: boolean; readonly appliedRevision: number | null };
  readonly threads: readonly ThreadReading[];
  /** Of the main thread. */
  readonly loop: LoopReading;
  readonly pools: Iterable<ServicePool>;
  readonly limits: RateLimits;
  /** Null: nothing is traced. */
  readonly spans: Readonly<SpanCounts> | null;
  readonly accessLog: AccessLogCounts;
}

/** All that a load balancer tells of itself, its services and their instances, read from what is counted anyway. */
export function proxyFamilies(facts: ProxyFacts): Family[] {
  const { version, engine, registry, threads, loop, pools: all, limits, spans, accessLog } = facts;
  const pools = [...all];
  const { available, appliedRevision } = registry;
  return [
    {
      kind: 'gauge',
      name: 'heimdall_load_balancer_info',
      help: 'Always 1; the labels tell what runs.',
      samples: [{ labels: { version, engine }, value: 1 }],
    },
    ...processFamilies(loop),
    single('gauge', 'heimdall_registry_available', 'Whether the registry can be used: 1.', available ? 1 : 0),
    {
      kind: 'gauge',
      name: 'heimdall_registry_applied_revision',
      help: 'The revision of the registry that is in force here.',
      samples: appliedRevision === null ? [] : [{ labels: {}, value: appliedRevision }],
    },
    ...threadFamilies(threads),
    single('counter', 'heimdall_access_log_lines_total', 'Lines of the access log that were written.', accessLog.lines),
    single(
      'counter',
      'heimdall_access_log_dropped_lines_total',
      'Lines of the access log that its output did not take.',
      accessLog.dropped,
    ),
    ...serviceFamilies(pools),
    rateLimited(pools, limits),
    ...instanceFamilies(pools),
    ...(spans === null ? [] : [spanFamily(spans)]),
  ];
}

function rateLimited(pools: readonly ServicePool[], limits: RateLimits): Family {
  return {
    kind: 'counter',
    name: 'heimdall_route_rate_limited_requests_total',
    help: 'Requests under the limit of a route, by what became of them; begins anew when the limit is changed.',
    samples: rateLimitsView(pools, limits).limits.flatMap(({ service, host, path, granted, refused }) => [
      { labels: { service, host, path, result: 'granted' }, value: granted },
      { labels: { service, host, path, result: 'refused' }, value: refused },
    ]),
  };
}

function spanFamily(counts: Readonly<SpanCounts>): Family {
  return {
    kind: 'counter',
    name: 'heimdall_spans_total',
    help: 'Spans of traced requests: exported, failed to be, or dropped because too many were waiting.',
    samples: Object.entries(counts).map(([result, value]) => ({ labels: { result }, value })),
  };
}
