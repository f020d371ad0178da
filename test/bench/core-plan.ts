/** Which cores run what, as lists for `taskset -c`; null: not pinned. */
export interface CorePlan {
  /** A proxy of one thread. */
  readonly oneThread: string | null;
  /** A proxy of two threads. */
  readonly twoThreads: string | null;
  /** The load, the backends and the benchmark itself. */
  readonly load: string | null;
  /** Threads of the load generator, and as many workers of the backends. */
  readonly loadThreads: number;
  /** Whether a proxy of two threads has two cores for itself. */
  readonly twoCoresFree: boolean;
}

/** Proxy and load stand on different cores where there are at least two. */
export function planCores(cores: number): CorePlan {
  if (cores < 2) return { oneThread: null, twoThreads: null, load: null, loadThreads: 1, twoCoresFree: false };
  const twoCoresFree = cores > 2;
  const first = twoCoresFree ? 2 : 1;
  const loadThreads = Math.max(1, Math.floor((cores - first) / 2));
  return { oneThread: '0', twoThreads: '0-1', load: range(first, cores - 1), loadThreads, twoCoresFree };
}

function range(from: number, to: number): string {
  return from === to ? String(from) : `${from}-${to}`;
}
