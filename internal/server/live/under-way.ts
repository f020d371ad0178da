import type { TrafficSample } from '../../model/traffic-sample.ts';

/** Requests that wait or run; who is not in it has none. */
export interface UnderWay {
  /** By service. */
  readonly waiting: ReadonlyMap<string, number>;
  /** On all instances of a service. */
  readonly onService: ReadonlyMap<string, number>;
  /** By id. */
  readonly onInstance: ReadonlyMap<string, number>;
}

/** At the end of samples of several load balancers. */
export function underWay(samples: readonly TrafficSample[]): UnderWay {
  const [waiting, onService, onInstance] = [
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  for (const { services, instances } of samples) {
    for (const { service, waiting: count } of services) add(waiting, service, count);
    for (const { service, instanceId, inFlight } of instances) {
      add(onService, service, inFlight);
      add(onInstance, instanceId, inFlight);
    }
  }
  return { waiting, onService, onInstance };
}

function add(sums: Map<string, number>, key: string, count: number): void {
  sums.set(key, (sums.get(key) ?? 0) + count);
}
