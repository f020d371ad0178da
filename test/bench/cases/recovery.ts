/** The requests that each backend has had by a moment. */
export interface CountsAt {
  readonly atMs: number;
  readonly counts: readonly number[];
}

/** Over how long a share is taken. */
const SHARE_MS = 1_000;

/** A backend's share of the requests between two moments; 0 when there were none. */
export function shareOf(backend: number, from: CountsAt, to: CountsAt): number {
  const grown = to.counts.map((count, index) => count - (from.counts[index] ?? 0));
  const all = grown.reduce((sum, count) => sum + count, 0);
  return all === 0 ? 0 : (grown[backend] ?? 0) / all;
}

/**
 * How long after the first of the moments a backend had at least half its fair share over a whole second, in seconds;
 * infinite when it never had.
 */
export function recoverySeconds(backend: number, history: readonly CountsAt[]): number {
  const [start] = history;
  if (start === undefined) return Number.POSITIVE_INFINITY;
  const enough = 1 / start.counts.length / 2;
  const recovered = history.find((now) => {
    const then = history.findLast((earlier) => earlier.atMs <= now.atMs - SHARE_MS);
    return then !== undefined && shareOf(backend, then, now) >= enough;
  });
  return recovered === undefined ? Number.POSITIVE_INFINITY : (recovered.atMs - start.atMs) / 1_000;
}
