import type { ServicePool } from '../service-pool.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Tally } from './tallies.ts';

/** A limit and what it has done since it was configured so, in all threads. */
interface LimitView extends Tally {
  readonly service: string;
  readonly host: string;
  readonly path: string;
  readonly requests: number;
  readonly perSeconds: number;
  readonly burst: number;
  readonly key: string;
}

/** For the admin interface. */
interface RateLimitsView {
  readonly limits: readonly LimitView[];
  readonly clients: {
    /** That have used something of their limit, and not been idle for long enough to have it back. */
    readonly inUse: number;
    readonly room: number;
    /** Forgotten before that, for lack of room. */
    readonly givenUp: number;
  };
}

export function rateLimitsView(pools: Iterable<ServicePool>, limits: RateLimits): RateLimitsView {
  const views = Array.from(pools, ({ service }) =>
    service.routes.flatMap((route) => {
      const { rateLimit, host, path } = route;
      const limiter = limits.limiterFor(service.name, route);
      if (rateLimit === null || limiter === null) return [];
      const { requests, per, burst, key } = rateLimit;
      return [{ service: service.name, host, path, requests, perSeconds: per / 1_000, burst, key, ...limiter.tally }];
    }),
  );
  const { clients: room, givenUp } = limits.accounts;
  return { limits: views.flat(), clients: { inUse: limits.clients, room, givenUp } };
}
