import type { Family, Labels, NumberFamily } from '../../../pkg/metrics/family.ts';
import { HEALTHS } from '../../model/health.ts';
import type { Connections } from '../connection-counts.ts';
import { STATUS_CLASSES } from '../request-counts.ts';
import type { ServicePool } from '../service-pool.ts';
import { durationDistribution } from './duration-distribution.ts';

type Reading = (pool: ServicePool) => number;

const COUNTERS: readonly (readonly [name: string, help: string, read: Reading])[] = [
  ['requests', 'Requests that came to the service.', (pool) => pool.requests],
  ['failed_requests', 'Requests that ended with a 5xx or half an answer.', (pool) => pool.endedRequests.failed],
  ['attempts', 'Requests sent to instances, repetitions included.', (pool) => pool.attempts],
  ['failed_attempts', 'Attempts that counted against their instance.', failuresOf],
  ['connection_attempts', 'Connections begun to instances, in vain or not.', (pool) => connectionsOf(pool).attempts],
  ['connection_reuses', 'Requests on connections kept from before.', (pool) => connectionsOf(pool).reuses],
  ['retries', 'Attempts after the first of a request.', (pool) => pool.retries],
  ['received_bytes', 'Octets of request bodies and tunnels, of requests that are over.', (pool) => pool.receivedBytes],
  ['sent_bytes', 'Octets of response bodies and tunnels, of requests that are over.', (pool) => pool.sentBytes],
  ['ejections', 'Instances ejected for what their requests told.', (pool) => pool.ejections],
];

const GAUGES: readonly (readonly [name: string, help: string, read: Reading])[] = [
  ['in_flight_requests', 'Requests at instances now.', inFlightOf],
  ['connections', 'Connections to instances, open or being opened.', (pool) => connectionsOf(pool).open],
  ['idle_connections', 'Of these, those that wait for a request.', (pool) => connectionsOf(pool).idle],
  ['tunnels', 'Of these, those that became tunnels, such as WebSockets.', (pool) => connectionsOf(pool).tunnels],
  [
    'queue_length',
    'Requests that wait: all instances are full, or the service is paused or asleep.',
    (pool) => pool.waiting,
  ],
  ['paused', 'Whether new requests are held: 1.', (pool) => (pool.paused ? 1 : 0)],
];

/** Of each service; its counters do not go back when instances leave. */
export function serviceFamilies(pools: readonly ServicePool[]): Family[] {
  const of = (kind: NumberFamily['kind'], name: string, help: string, read: Reading): NumberFamily => {
    return { kind, name, help, samples: pools.map((pool) => ({ labels: labelsOf(pool), value: read(pool) })) };
  };
  return [
    ...COUNTERS.map(([name, help, read]) => of('counter', `heimdall_service_${name}_total`, help, read)),
    responses(pools),
    ...GAUGES.map(([name, help, read]) => of('gauge', `heimdall_service_${name}`, help, read)),
    upstreams(pools),
    {
      kind: 'histogram',
      name: 'heimdall_service_request_duration_seconds',
      help: 'From the head of a request to the end of its answer, waiting and repetitions included.',
      samples: pools.map((pool) => ({ labels: labelsOf(pool), ...durationDistribution(pool.totalDurations) })),
    },
    {
      kind: 'histogram',
      name: 'heimdall_service_attempt_duration_seconds',
      help: 'From the start of an attempt to its response head, or to the timeout.',
      samples: pools.map((pool) => ({ labels: labelsOf(pool), ...durationDistribution(latenciesOf(pool)) })),
    },
  ];
}

function responses(pools: readonly ServicePool[]): Family {
  return {
    kind: 'counter',
    name: 'heimdall_service_responses_total',
    help: 'Requests that are over, by what the client got; 4xx includes clients that left (499).',
    samples: pools.flatMap((pool) =>
      pool.endedByClass.map((value, index) => ({
        labels: { ...labelsOf(pool), code: STATUS_CLASSES[index] ?? 'other' },
        value,
      })),
    ),
  };
}

function upstreams(pools: readonly ServicePool[]): Family {
  return {
    kind: 'gauge',
    name: 'heimdall_service_upstreams',
    help: 'Instances that are ready, by what checks and requests say of them.',
    samples: pools.flatMap((pool) => {
      const ready = [...pool.upstreams()].filter(({ lifecycle }) => lifecycle === 'ready');
      return HEALTHS.map((health) => ({
        labels: { ...labelsOf(pool), health },
        value: ready.filter(({ condition }) => condition === health).length,
      }));
    }),
  };
}

function labelsOf({ name }: ServicePool): Labels {
  return { service: name };
}

function failuresOf(pool: ServicePool): number {
  let sum = pool.past.failures;
  for (const { failures } of pool.upstreams()) sum += failures;
  return sum;
}

function connectionsOf(pool: ServicePool): Connections {
  let sums: Connections = { ...pool.past.connections, open: 0, idle: 0, tunnels: 0 };
  for (const { connections } of pool.upstreams()) {
    sums = {
      open: sums.open + connections.open,
      idle: sums.idle + connections.idle,
      tunnels: sums.tunnels + connections.tunnels,
      attempts: sums.attempts + connections.attempts,
      reuses: sums.reuses + connections.reuses,
    };
  }
  return sums;
}

function inFlightOf(pool: ServicePool): number {
  let sum = 0;
  for (const { inFlight } of pool.upstreams()) sum += inFlight;
  return sum;
}

function latenciesOf(pool: ServicePool): Float64Array {
  const sums = Float64Array.from(pool.past.latencies);
  for (const { totalLatencies } of pool.upstreams()) {
    for (const [bucket, count] of totalLatencies.entries()) sums[bucket] = (sums[bucket] ?? 0) + count;
  }
  return sums;
}
