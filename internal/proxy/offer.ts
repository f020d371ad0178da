import type { PoolLimits } from './pool-parts.ts';
import type { Upstream } from './upstream.ts';

/** Who of a pool may be picked, and when. Each list is in the order of the ordinals. */
export interface Offer {
  /** Healthy, and not ejected. */
  readonly fit: readonly Upstream[];
  /** What a request is sent to first: the fit, or more of them when these are too few. */
  readonly first: readonly Upstream[];
  /** Tried when all of the fit were: unhealthy, or ejected. */
  readonly lastResort: readonly Upstream[];
  /** Ejected for long enough: a request now and then finds out what has become of them. */
  readonly onTrial: readonly Upstream[];
}

/**
 * Those that were never checked are offered to nobody, nor are the unhealthy where a pool may be empty (`neverEmpty`).
 *
 * When a smaller share than `panicThreshold` is fit, health is ignored rather than that these be overloaded (Envoy), but
 * for those to which nobody can connect: every request to them comes back at once, to one of the others.
 * @param ready - in the order of their ordinals.
 */
export function offerOf(
  ready: readonly Upstream[],
  { panicThreshold, healthCheck }: Pick<PoolLimits, 'panicThreshold' | 'healthCheck'>,
): Offer {
  const known = ready.filter(({ health }) => health !== 'unknown');
  const fit = known.filter(({ isFit }) => isFit);
  const usable = healthCheck.neverEmpty ? known : known.filter(({ health }) => health === 'healthy');
  const panics = fit.length > 0 && fit.length < known.length * panicThreshold;
  return {
    fit,
    first: panics ? usable.filter(({ isFit, unreachable }) => isFit || !unreachable) : fit,
    lastResort: usable.filter(({ isFit }) => !isFit),
    onTrial: known.filter(({ health, standing }) => health === 'healthy' && standing === 'on-trial'),
  };
}
