import type { ExplainedRequest } from '../../model/explained-request.ts';
import type { ServiceOutlook } from '../../model/service-outlook.ts';
import { isRequestId } from '../fields.ts';
import type { ServicePool } from '../service-pool.ts';
import { withCauses } from './causes.ts';
import { outlookOf } from './outlook.ts';
import type { Search } from './search.ts';

/** What is asked for is not there. */
export interface Unexplained {
  readonly status: 400 | 404;
  readonly detail: string;
  /** Further members of the problem. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface ExplainOptions {
  readonly pools: () => Iterable<ServicePool>;
  readonly explain: (id: string) => Promise<Search>;
}

/** `GET /explain/{id}` */
export async function explainRequest(
  { pools, explain }: ExplainOptions,
  id: string,
): Promise<ExplainedRequest | Unexplained> {
  if (!isRequestId(id)) {
    return { status: 400, detail: 'An id has up to 128 letters, digits, and characters of _.:/+=-.', facts: {} };
  }
  const search = await explain(id);
  if (search.found === null) return unexplained(search);
  const { service } = search.found;
  return withCauses(
    search.found,
    [...pools()].find(({ name }) => name === service),
  );
}

/** `GET /why/{service}` */
export function explainService(pools: Iterable<ServicePool>, service: string): ServiceOutlook | Unexplained {
  const all = [...pools];
  const pool = all.find(({ name }) => name === service);
  if (pool !== undefined) return outlookOf(pool);
  const names = all.map(({ name }) => name);
  return {
    status: 404,
    detail: `There is no service "${service}". There are: ${names.join(', ') || 'none'}.`,
    facts: {},
  };
}

function unexplained({ kept, since, isOurs, silent }: Search): Unexplained {
  const sinceIso = since === null ? null : new Date(since).toISOString();
  const silence = silent.length === 0 ? '' : ` Threads that did not answer: ${silent.join(', ')}.`;
  const facts = { kept, since: sinceIso, isOurs, silent };
  const keeping =
    since === null
      ? 'Nothing is kept at present, see proxy.explain.'
      : `Kept are ${kept} requests, the oldest of ${sinceIso}; proxy.explain says how many of each second, and of all.`;
  const why = isOurs
    ? 'The request with this id was here, but is not kept: it was not sampled, or newer ones have taken its place.'
    : 'No request with this id is known: it was never here, not sampled, or newer ones have taken its place; or another process had it.';
  return { status: 404, detail: `${why} ${keeping}${silence}`, facts };
}
