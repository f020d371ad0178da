/** Below this size a share of a tenth would be nobody. */
const SMALL_POOL = 10;
const SMALL_SHARE = 0.34;
/** Of larger pools: for rates and latencies, which are a matter of degree, and for those who answer nothing at all. */
const SOFT_SHARE = 0.1;
const HARD_SHARE = 0.5;
const LEAST_SOFT = 3;
/** Ejections end at different times, lest those who were ejected together come back together. */
const JITTER = 0.1;

/** Somebody who should be ejected. */
export interface Suspect<T> {
  readonly who: T;
  /** In words. */
  readonly cause: string;
  /** It fails or hangs altogether; it is not merely worse than the others. */
  readonly isHard: boolean;
}

export interface Room {
  /** Upstreams that are ready, whatever their health. */
  readonly size: number;
  /** Those of them that are ejected, or on trial. */
  readonly ejected: number;
  /** Those of them that get requests as usual, the suspects among them. */
  readonly serving: number;
  /** The share that may be ejected; null: see `mostEjected`. */
  readonly share: number | null;
}

/**
 * `min(base·k, max) + jitter`, in milliseconds, as in Envoy.
 * @param times - k, from 1.
 * @param random - in [0, 1), as `Math.random`.
 */
export function ejectionMs(
  times: number,
  { ejectionTime, maxEjectionTime }: { readonly ejectionTime: number; readonly maxEjectionTime: number },
  random: () => number,
): number {
  return Math.min(ejectionTime * times, maxEjectionTime) * (1 + JITTER * random());
}

/**
 * How many of a pool may be ejected at a time: of fewer than ten a third, but one in any case; of more a tenth (three at
 * least), and half when they answer nothing at all.
 */
export function mostEjected(size: number, isHard: boolean, share: number | null): number {
  if (share !== null) return Math.floor(size * share);
  if (size < SMALL_POOL) return Math.max(1, Math.floor(size * SMALL_SHARE));
  return isHard ? Math.floor(size * HARD_SHARE) : Math.max(LEAST_SOFT, Math.floor(size * SOFT_SHARE));
}

/** Those of the suspects for whom there is room, the hard cases first. The last one that serves always goes on. */
export function ejectable<T>(suspects: readonly Suspect<T>[], { size, ejected, serving, share }: Room): Suspect<T>[] {
  const chosen: Suspect<T>[] = [];
  for (const suspect of suspects.toSorted((a, b) => Number(b.isHard) - Number(a.isHard))) {
    const isFull = ejected + chosen.length >= mostEjected(size, suspect.isHard, share);
    if (!isFull && serving - chosen.length > 1) chosen.push(suspect);
  }
  return chosen;
}
