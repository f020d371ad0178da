import type { DemandRecord, TrafficRecord } from '../registry/registry.ts';
import type { ServicePool } from './service-pool.ts';
import type { ServiceOrders } from './settings-in-force.ts';
import type { Upstream } from './upstream.ts';

/** Whether the manager decides something about the service by the requests on its instances. */
export function isWatched({ service, state }: ServiceOrders): boolean {
  const { autoscale, scaleFromZero, idleAfter } = service;
  return (state !== null && state.deploying !== null) || autoscale !== null || scaleFromZero || idleAfter !== null;
}

/** What the manager is told of the instances of a pool. */
export function trafficOf(pool: ServicePool): TrafficRecord[] {
  return pool.still(() => Array.from(pool.upstreams(), recordOf));
}

/** What the manager is told of the requests to a pool as a whole. */
export function demandOf(pool: ServicePool): DemandRecord {
  return { service: pool.name, waiting: pool.waiting, requests: pool.requests };
}

/** A request that ends while we look counts as running: its failure is read before, its end after. */
function recordOf(upstream: Upstream): TrafficRecord {
  const { id, incarnation, failures, inFlight, picks } = upstream;
  return { instanceId: id, incarnation, requests: picks - inFlight, failures, inFlight };
}
