import type { RateLimiter } from './rate-limit/rate-limiter.ts';
import type { RateLimits } from './rate-limit/rate-limits.ts';
import { Router } from './routing.ts';
import type { ServicePool } from './service-pool.ts';

/** Where the requests of a route go. */
export interface Destination {
  readonly pool: ServicePool;
  /** Null: as many as come. */
  readonly limiter: RateLimiter | null;
}

/** Over all routes of the services of these pools. */
export function routerOf(pools: Iterable<ServicePool>, limits: RateLimits): Router<Destination> {
  const routes = Array.from(pools, (pool) =>
    pool.service.routes.map(
      (route) => [route, { pool, limiter: limits.limiterFor(pool.service.name, route) }] as const,
    ),
  );
  return new Router(routes.flat());
}
