import type { Family, Labels } from '../../../pkg/metrics/family.ts';
import type { ServicePool } from '../service-pool.ts';
import type { Upstream } from '../upstream.ts';
import { durationDistribution } from './duration-distribution.ts';

interface Present {
  /** `instance` alone is what Prometheus calls whom it asks. */
  readonly labels: Labels;
  readonly upstream: Upstream;
}

type NumberReading = readonly [
  kind: 'counter' | 'gauge',
  name: string,
  help: string,
  /** Null: there is no such number for this one. */
  read: (upstream: Upstream) => number | null,
];

const NUMBERS: readonly NumberReading[] = [
  ['counter', 'attempts_total', 'Requests sent to the instance.', ({ picks }) => picks],
  ['counter', 'failed_attempts_total', 'Attempts that counted against the instance.', ({ failures }) => failures],
  ['gauge', 'in_flight_requests', 'Requests at the instance now.', ({ inFlight }) => inFlight],
  ['counter', 'connection_attempts_total', 'Connections begun to it, in vain or not.', (of) => of.connections.attempts],
  ['counter', 'connection_reuses_total', 'Requests on a connection kept from before.', (of) => of.connections.reuses],
  ['gauge', 'connections', 'Connections to it, open or being opened.', (of) => of.connections.open],
  ['gauge', 'idle_connections', 'Of these, those that wait for a request.', (of) => of.connections.idle],
  ['gauge', 'tunnels', 'Of these, those that became tunnels, such as WebSockets.', (of) => of.connections.tunnels],
  ['gauge', 'up', 'Whether it gets requests as usual: ready, healthy, not ejected.', isUp],
  ['gauge', 'ejected', 'Whether it is ejected, or on trial.', ({ standing }) => (standing === 'in' ? 0 : 1)],
  ['gauge', 'weight', 'The weight in force, less than all of it during a slow start.', ({ weight }) => weight],
  ['gauge', 'concurrency_limit', 'Requests in flight that adaptiveConcurrency allows.', concurrencyOf],
];

/** Of each instance there is now; its counters begin anew with each of its processes, and end with it. */
export function instanceFamilies(pools: readonly ServicePool[]): Family[] {
  const present = pools.flatMap((pool) =>
    Array.from(pool.upstreams(), (upstream): Present => ({ labels: labelsOf(pool, upstream), upstream })),
  );
  return [
    ...NUMBERS.map(([kind, name, help, read]): Family => {
      const samples = present.flatMap(({ labels, upstream }) => {
        const value = read(upstream);
        return value === null ? [] : [{ labels, value }];
      });
      return { kind, name: `heimdall_instance_${name}`, help, samples };
    }),
    {
      kind: 'histogram',
      name: 'heimdall_instance_attempt_duration_seconds',
      help: 'From the start of an attempt to its response head, or to the timeout.',
      samples: present.map(({ labels, upstream }) => ({ labels, ...durationDistribution(upstream.totalLatencies) })),
    },
  ];
}

function labelsOf({ name }: ServicePool, { id }: Upstream): Labels {
  return { service: name, instance_id: id };
}

function isUp({ lifecycle, isFit }: Upstream): number {
  return lifecycle === 'ready' && isFit ? 1 : 0;
}

function concurrencyOf({ concurrencyLimit, concurrency }: Upstream): number | null {
  return concurrencyLimit === null ? null : concurrency;
}
