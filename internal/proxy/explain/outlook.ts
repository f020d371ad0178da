import { authority } from '../../model/address.ts';
import type { Exclusion } from '../../model/explained-request.ts';
import type { ServiceOutlook, UpstreamOutlook } from '../../model/service-outlook.ts';
import type { PoolOutlook } from '../pool-parts.ts';
import type { ServicePool } from '../service-pool.ts';
import type { Upstream } from '../upstream.ts';
import { causeOf } from './causes.ts';
import { exclusionOf } from './pick-view.ts';

const NOBODY_TRIED: readonly Upstream[] = [];

/** In words, where the cause says no more. */
const WHY_NONE: Readonly<Record<Exclusion, string>> = {
  starting: 'it is starting',
  draining: 'it is draining, so that what runs on it can finish',
  stopped: 'it is stopped',
  'backing-off': 'it has ended unexpectedly, and is started again before long',
  failed: 'it has failed again and again',
  unchecked: 'no check of it has come back yet',
  unhealthy: 'it is unhealthy',
  ejected: 'it is ejected',
  'on-trial': 'it is on trial after an ejection',
  tried: 'it was tried',
  full: 'it has as many requests in flight as it may',
};

/** What a request would meet that came now, and about which nothing else is known. */
export function outlookOf(pool: ServicePool): ServiceOutlook {
  const outlook = pool.outlook();
  const { explanation } = outlook;
  const isShown = explanation !== null && !explanation.ofRequest;
  const free = new Map(outlook.free.map((upstream, place) => [upstream, place]));
  const weights = outlook.free.reduce((sum, { weight }) => sum + weight, 0);
  const upstreams = [...pool.upstreams()].map((upstream) =>
    upstreamOutlook(upstream, outlook, { place: free.get(upstream) ?? null, weights }),
  );
  return {
    service: pool.name,
    algorithm: pool.balancer.algorithm,
    sentence: sentenceOf(outlook, upstreams.length, pool.waiting),
    among: outlook.among,
    held: outlook.held,
    waiting: pool.waiting,
    meaning: isShown ? explanation.meaning : null,
    better: isShown ? explanation.better : null,
    upstreams,
  };
}

/** An upstream among those that can be picked. */
interface Share {
  /** Null: it is none of them. */
  readonly place: number | null;
  /** Of all of them. */
  readonly weights: number;
}

function upstreamOutlook(
  upstream: Upstream,
  { offered, explanation, limitOf }: PoolOutlook,
  { place, weights }: Share,
): UpstreamOutlook {
  const { id, instance, lifecycle, condition: health, inFlight, weight, cost } = upstream;
  const isFree = place !== null;
  const scores = explanation === null || explanation.ofRequest ? [] : explanation.scores;
  const score = isFree ? (scores[place] ?? Number.NaN) : Number.NaN;
  const cause = causeOf(upstream);
  const facts = {
    excluded: isFree ? null : exclusionOf(upstream, { tried: NOBODY_TRIED, offered, limitOf }),
    cause: cause?.cause ?? null,
    since: isoOf(cause?.since),
    until: isoOf(cause?.until),
    weight: instance.weight,
    weightInForce: weight,
    share: isFree ? weight / weights : 0,
  };
  return {
    id,
    url: `http://${authority(instance.host, instance.port)}`,
    lifecycle,
    health,
    ...facts,
    inFlight,
    limit: Number.isFinite(limitOf(upstream)) ? limitOf(upstream) : null,
    latencyMs: Number.isFinite(cost) ? cost : null,
    score: Number.isNaN(score) ? null : score,
    sentence: upstreamSentence(facts, instance.lastError),
  };
}

type Facts = Pick<UpstreamOutlook, 'excluded' | 'cause' | 'since' | 'until' | 'weight' | 'weightInForce' | 'share'>;

function upstreamSentence(facts: Facts, lastError: string | null): string {
  const { excluded, cause, since, until, weight, weightInForce, share } = facts;
  const known = cause === null ? '' : `${since === null ? '' : ` since ${since}`}: ${cause}`;
  if (excluded === null) {
    const ramp =
      weightInForce < weight ? `; its slow start is at ${percent(weightInForce / weight)} of its weight` : '';
    return `Gets requests: ${percent(share)} of the weights${ramp}${cause === null ? '' : `; in spite of its health${known}`}.`;
  }
  const why = isExclusion(excluded) ? WHY_NONE[excluded] : excluded;
  const trouble = excluded === 'backing-off' || excluded === 'failed' ? lastError : null;
  const trial = excluded === 'on-trial' ? '; a request now and then tries it out' : '';
  const end = excluded === 'ejected' && until !== null ? `; tried out from ${until} on` : trial;
  return `Gets none, because ${why}${trouble === null ? known : `: ${trouble}`}${end}.`;
}

function sentenceOf({ among, held, free, offered }: PoolOutlook, upstreams: number, waiting: number): string {
  const line = waiting === 0 ? '' : ` ${waiting} requests wait.`;
  if (held === 'paused') return `The service is paused: new requests are held.${line}`;
  if (held === 'asleep') return `The service has no instance yet: new requests are held until one is started.${line}`;
  if (free.length === 0) {
    return offered.size > 0
      ? `All that could be picked are full: requests wait.${line}`
      : `There is nobody to pick: 503.${line}`;
  }
  return `${free.length} of ${upstreams} get requests${AMONG[among]}.${line}`;
}

const AMONG: Readonly<Record<PoolOutlook['among'], string>> = {
  fit: '',
  panic: '; too few are fit, so that others get them too',
  'last-resort': '; nobody is fit, so that the others are tried as a last resort',
};

function isExclusion(text: string): text is Exclusion {
  return Object.hasOwn(WHY_NONE, text);
}

function isoOf(at: number | null | undefined): string | null {
  return at === null || at === undefined ? null : new Date(at).toISOString();
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
