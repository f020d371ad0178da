import type { ExplainedRequest } from '../../model/explained-request.ts';
import type { Finding } from './explainer.ts';

/** What the threads of an engine know of a request. */
export interface Search {
  /** The youngest, when several have had the same id from clients. */
  readonly found: ExplainedRequest | null;
  /** Requests that are kept, in all threads. */
  readonly kept: number;
  /** When the oldest of them came; epoch milliseconds; null: none is kept. */
  readonly since: number | null;
  /** Whether the id was given here. */
  readonly isOurs: boolean;
  /** Numbers of threads that did not answer in time. */
  readonly silent: readonly number[];
}

/** @param findings - by the thread. */
export function searchOf(findings: ReadonlyMap<number, Finding>, silent: readonly number[] = []): Search {
  const all = [...findings.values()];
  const found = [...findings].flatMap(([thread, { found }]) => (found === null ? [] : [{ ...found, thread }]));
  const since = all.flatMap(({ since }) => since ?? []);
  return {
    found: found.toSorted((a, b) => b.at.localeCompare(a.at))[0] ?? null,
    kept: all.reduce((sum, { kept }) => sum + kept, 0),
    since: since.length === 0 ? null : Math.min(...since),
    isOurs: all.some(({ isOurs }) => isOurs),
    silent,
  };
}
