import type { Reading } from '../../../pkg/alerts/rules/reading.ts';
import { percent } from '../../../pkg/alerts/rules/words.ts';
import { formatDuration } from '../../../pkg/alerts/words.ts';
import { initialLimit } from '../../health/concurrency.ts';
import { BUCKETS, quantile, total } from '../../model/latency-buckets.ts';
import type { Done, RecentTraffic } from '../recent-traffic.ts';
import type { EndedRequests } from '../request-counts.ts';
import type { ServicePool } from '../service-pool.ts';
import type { Upstream } from '../upstream.ts';

/** Fewer requests say nothing about a share of them. */
const FEWEST_REQUESTS = 20;
/** Fewer answers have no 99th percentile that is not simply the slowest of them. */
const FEWEST_ANSWERS = 100;
/** How many instances are named in a message. */
const NAMED = 3;

/** @param ended - within the window. */
export function errorRate(pool: ServicePool, ended: EndedRequests, overMs: number, recent: RecentTraffic): Reading {
  const { ended: requests, failed } = ended;
  const window = formatDuration(overMs);
  const isEnough = requests >= FEWEST_REQUESTS;
  const value = isEnough ? failed / requests : null;
  return {
    ...of(pool),
    value,
    words: isEnough
      ? `${percent(failed / requests)}: ${failed} of ${requests} requests in ${window} failed`
      : `${requests} requests in ${window}, needs ${FEWEST_REQUESTS}`,
    advice: () => {
      const lines = ranked(pool, recent, overMs, ({ failures }) => failures).map(
        ([{ id }, { failures, requests: all }]) => `${id}: ${failures} of ${all} attempts failed`,
      );
      return worst(
        lines,
        'none of these instances failed: those that did are gone, or the load balancer itself refused the requests',
      );
    },
  };
}

export function p99(pool: ServicePool, overMs: number, recent: RecentTraffic): Reading {
  const sum = new Uint32Array(BUCKETS);
  for (const upstream of pool.upstreams()) {
    for (const [bucket, count] of recent.lately(upstream, overMs).latencies.entries()) {
      sum[bucket] = (sum[bucket] ?? 0) + count;
    }
  }
  const answers = total(sum);
  const window = formatDuration(overMs);
  const isEnough = answers >= FEWEST_ANSWERS;
  const value = isEnough ? quantile(sum, 0.99) : null;
  return {
    ...of(pool),
    value,
    words:
      value === null
        ? `${answers} answers in ${window}, needs ${FEWEST_ANSWERS}`
        : `p99 ${roundMs(value)}, p50 ${roundMs(quantile(sum, 0.5))} of ${answers} answers in ${window}`,
    advice: () => {
      const slowest = ranked(pool, recent, overMs, ({ latencies }) => quantile(latencies, 0.99) || 0);
      const lines = slowest.map(([{ id }, { latencies }]) => {
        return `${id}: p99 ${roundMs(quantile(latencies, 0.99))} of ${total(latencies)} answers`;
      });
      return worst(lines, 'the instances that were slow are gone');
    },
  };
}

/** How much of their room the instances use at this moment, or the queue of its own, whichever is more; null: there is no limit. */
export function roomInUse(pool: ServicePool): number | null {
  const { queue } = pool.service;
  const { inFlight, room } = load(pool);
  if (room === 0 || room === Number.POSITIVE_INFINITY) return null;
  const waiting = pool.paused || queue.limit === 0 ? 0 : pool.waiting / queue.limit;
  return Math.max(inFlight / room, waiting);
}

/** @param inUse - the mean of the last seconds; null: there is none. */
export function saturation(pool: ServicePool, inUse: number | null): Reading {
  const { queue } = pool.service;
  const { inFlight, room } = load(pool);
  const present = `now ${inFlight} in flight, with room for ${room}, and ${pool.waiting} waiting (of ${queue.limit})`;
  return {
    ...of(pool),
    value: inUse,
    words: inUse === null ? 'no limit of requests, or no healthy instance' : `${percent(inUse)} in use; ${present}`,
    advice: () => [`next: more instances (POST /services/${pool.name}/scale), or find out why requests take so long`],
  };
}

/** Of the healthy instances; infinite room where nothing is limited. */
function load(pool: ServicePool): { readonly inFlight: number; readonly room: number } {
  const { maxConnections, adaptiveConcurrency } = pool.service;
  let [inFlight, room] = [0, 0];
  for (const upstream of pool.healthy()) {
    inFlight += upstream.inFlight;
    const most = maxConnections ?? Number.POSITIVE_INFINITY;
    const adapted = adaptiveConcurrency && (upstream.concurrency || initialLimit(adaptiveConcurrency));
    room += adapted === null ? most : Math.min(most, adapted + upstream.inProgress);
  }
  return { inFlight, room };
}

export function unhealthy(pool: ServicePool): Reading {
  const wanted = [...pool.upstreams()].filter(({ instance: { lifecycle } }) => {
    return lifecycle !== 'draining' && lifecycle !== 'stopped' && lifecycle !== 'starting';
  });
  const down = wanted.filter(isDown);
  return {
    ...of(pool),
    value: wanted.length === 0 ? null : down.length / wanted.length,
    words: wanted.length === 0 ? 'no instance' : `${down.length} of ${wanted.length} instances`,
    advice: () => {
      const lines = down.slice(0, NAMED).map(({ id, instance, healthCause, ejection }) => {
        return `${id}: ${instance.lifecycle === 'ready' ? (ejection?.cause ?? healthCause) : (instance.lastError ?? instance.lifecycle)}`;
      });
      return worst(lines, 'they have recovered');
    },
  };
}

function isDown({ instance: { lifecycle }, condition }: Upstream): boolean {
  return lifecycle !== 'ready' || condition === 'unhealthy' || condition === 'ejected';
}

function of({ name }: ServicePool): Pick<Reading, 'subject' | 'service'> {
  return { subject: name, service: name };
}

/** Those with the highest scores above zero, with what they have done lately. */
function ranked(
  pool: ServicePool,
  recent: RecentTraffic,
  overMs: number,
  score: (done: Done) => number,
): (readonly [Upstream, Done])[] {
  return [...pool.upstreams()]
    .map((upstream) => [upstream, recent.lately(upstream, overMs)] as const)
    .filter(([, done]) => score(done) > 0)
    .toSorted(([, a], [, b]) => score(b) - score(a))
    .slice(0, NAMED);
}

function worst(lines: readonly string[], otherwise: string): string[] {
  if (lines.length === 0) return [otherwise];
  return [...lines, 'next: GET /upstreams of the admin port; the output of an instance: GET /servers/{id}/logs'];
}

function roundMs(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}
