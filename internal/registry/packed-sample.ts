import { z } from 'zod';
import type { TrafficSample } from '../model/traffic-sample.ts';

/** A sample without the names of its fields, which would be half of it. */
export const PackedSampleSchema = z.object({
  /** Service, ended, failed, waiting. */
  services: z.array(z.tuple([z.string(), z.number(), z.number(), z.number()])),
  /** Service, instance, requests, failures, in flight, latencies. */
  instances: z.array(z.tuple([z.string(), z.string(), z.number(), z.number(), z.number(), z.array(z.number())])),
});
type PackedSample = z.infer<typeof PackedSampleSchema>;

type Content = Pick<TrafficSample, 'services' | 'instances'>;

export function packSample({ services, instances }: Content): PackedSample {
  return {
    services: services.map(({ service, ended, failed, waiting }) => [service, ended, failed, waiting]),
    instances: instances.map(({ service, instanceId, requests, failures, inFlight, latencies }) => {
      return [service, instanceId, requests, failures, inFlight, [...latencies]];
    }),
  };
}

export function unpackSample({ services, instances }: PackedSample): Content {
  return {
    services: services.map(([service, ended, failed, waiting]) => ({ service, ended, failed, waiting })),
    instances: instances.map(([service, instanceId, requests, failures, inFlight, latencies]) => {
      return { service, instanceId, requests, failures, inFlight, latencies };
    }),
  };
}
