import type { Failure } from '../chaos/verdict.ts';

/** How a visit failed, as its client saw it. */
export const SORTS = [
  'connection refused',
  'connection reset',
  'answer cut',
  'WebSocket cut',
  'status 5xx',
  'no answer',
  'anything else',
] as const;
export type Sort = (typeof SORTS)[number];

/** An act that began at a time of the same clock as those of failures. */
export interface Begun {
  readonly name: string;
  readonly from: number;
}

/** Before the first act. */
export const NOTHING_YET = 'nothing yet';

/** Failures that are alike. */
export interface Count {
  readonly kind: string;
  readonly sort: Sort;
  /** What was being done, or had been done last, when the visit failed. */
  readonly act: string;
  readonly count: number;
}

export function countFailures(failures: readonly Failure[], acts: readonly Begun[]): Count[] {
  const counts = new Map<string, Count>();
  for (const failure of failures) {
    const one = { kind: failure.kind, sort: sortOf(failure), act: actAt(failure.to, acts) };
    const key = JSON.stringify(one);
    counts.set(key, { ...one, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()];
}

export function sortOf({ phase, cause }: Pick<Failure, 'phase' | 'cause'>): Sort {
  if (/^status 5\d\d/.test(cause)) return 'status 5xx';
  if (/no sign of life|no echo/.test(cause)) return 'no answer';
  if (phase === 'connect' || cause.startsWith('ECONNREFUSED')) return 'connection refused';
  if (phase === 'websocket') return 'WebSocket cut';
  if (phase === 'body' && /^(ECONNRESET|aborted|EPIPE)/.test(cause)) return 'answer cut';
  return /^(ECONNRESET|EPIPE)/.test(cause) ? 'connection reset' : 'anything else';
}

/** The one that began last before. */
function actAt(time: number, acts: readonly Begun[]): string {
  return acts.findLast(({ from }) => from <= time)?.name ?? NOTHING_YET;
}
