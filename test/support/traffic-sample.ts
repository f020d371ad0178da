import { bucketOf } from '../../internal/model/latency-buckets.ts';
import type { TrafficSample } from '../../internal/model/traffic-sample.ts';

/** Of the service `web` with the one instance `web-1`. */
interface SampleOfWeb {
  readonly proxyId?: string;
  readonly from: number;
  readonly until: number;
  readonly requests?: number;
  readonly failed?: number;
  /** How long each took, in milliseconds. */
  readonly latency?: number;
  readonly inFlight?: number;
  readonly waiting?: number;
}

export function sample(of: SampleOfWeb): TrafficSample {
  const { proxyId = 'lb-1', from, until, requests = 0, failed = 0, latency = 10, inFlight = 0, waiting = 0 } = of;
  const latencies = requests === 0 ? [] : [bucketOf(latency), requests];
  return {
    proxyId,
    from,
    until,
    services: [{ service: 'web', ended: requests, failed, waiting }],
    instances: [{ service: 'web', instanceId: 'web-1', requests, failures: failed, inFlight, latencies }],
  };
}
