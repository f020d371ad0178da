import type { ExplainedCandidate, ExplainedRequest } from '../../model/explained-request.ts';
import type { ServicePool } from '../service-pool.ts';
import type { Upstream } from '../upstream.ts';

/** Why an upstream is unhealthy or ejected, as the main thread knows. */
export interface Cause {
  readonly cause: string;
  /** Epoch milliseconds; null: not known. */
  readonly since: number | null;
  /** When it is tried out; epoch milliseconds. */
  readonly until: number | null;
}

/** Null: it is neither. */
export function causeOf({ health, healthCause, healthSince, ejection }: Upstream): Cause | null {
  if (health === 'unhealthy') return { cause: healthCause, since: healthSince, until: null };
  return ejection === null ? null : { cause: ejection.cause, since: ejection.since, until: ejection.until };
}

/** Threads see who is unhealthy or ejected, not why: adds the causes that were there already when the request came. */
export function withCauses(request: ExplainedRequest, pool: ServicePool | undefined): ExplainedRequest {
  if (pool === undefined) return request;
  const arrived = Date.parse(request.at);
  const picks = request.picks.map((pick) => ({
    ...pick,
    candidates: pick.candidates.map((candidate) => withCause(candidate, pool, arrived + pick.afterMs)),
  }));
  return { ...request, picks };
}

function withCause(candidate: ExplainedCandidate, pool: ServicePool, at: number): ExplainedCandidate {
  if (candidate.health !== 'unhealthy' && candidate.health !== 'ejected') return candidate;
  const upstream = pool.get(candidate.id);
  const found = upstream === undefined ? null : causeOf(upstream);
  if (found === null || found.since === null || found.since > at) return candidate;
  const end = found.until === null ? '' : `, until ${new Date(found.until).toISOString()}`;
  return { ...candidate, cause: `${found.cause}, since ${new Date(found.since).toISOString()}${end}` };
}
