import { sparseSince } from '../../model/sparse-counts.ts';
import type { TrafficSample } from '../../model/traffic-sample.ts';

/** What happened between two readings of a sample that grows. */
export function sampleSince(before: TrafficSample, now: TrafficSample): TrafficSample {
  const services = new Map(before.services.map((each) => [each.service, each]));
  const instances = new Map(before.instances.map((each) => [each.instanceId, each]));
  return {
    proxyId: now.proxyId,
    from: before.until,
    until: now.until,
    services: now.services.map(({ service, ended, failed, waiting }) => {
      const known = services.get(service);
      return { service, ended: ended - (known?.ended ?? 0), failed: failed - (known?.failed ?? 0), waiting };
    }),
    instances: now.instances.map(({ service, instanceId, requests, failures, inFlight, latencies }) => {
      const known = instances.get(instanceId);
      return {
        service,
        instanceId,
        requests: requests - (known?.requests ?? 0),
        failures: failures - (known?.failures ?? 0),
        inFlight,
        latencies: sparseSince(known?.latencies ?? [], latencies),
      };
    }),
  };
}
