import type { ServiceOutlook, UpstreamOutlook } from '../../internal/model/service-outlook.ts';
import { aligned } from './aligned.ts';
import { figure } from './figure.ts';

/** Who gets the requests of a service, for people. */
export function whyText({ service, algorithm, sentence, meaning, better, upstreams }: ServiceOutlook): string {
  const head = ['', 'health', 'weight', 'in flight', 'latency ms', 'score'];
  const table = aligned([head, ...upstreams.map(rowOf)], [0, 1]);
  const preferred = better === 'more' ? 'largest' : 'smallest';
  const legend = meaning === null ? 'each request has scores of its own' : `${meaning}; the ${preferred} is preferred`;
  const sentences = upstreams.map((upstream) => `  ${upstream.id}: ${upstream.sentence}\n`).join('');
  return `${service} (${algorithm}): ${sentence}\n\n${table}  score: ${legend}\n\n${sentences}`;
}

function rowOf({
  id,
  lifecycle,
  health,
  weight,
  weightInForce,
  inFlight,
  limit,
  latencyMs,
  score,
}: UpstreamOutlook): string[] {
  return [
    id,
    lifecycle === 'ready' ? health : lifecycle,
    weightInForce === weight ? figure(weight) : `${figure(weightInForce)} of ${figure(weight)}`,
    limit === null ? figure(inFlight) : `${figure(inFlight)} of ${figure(limit)}`,
    figure(latencyMs),
    figure(score),
  ];
}
