import type { Traffic } from '../../model/live.ts';
import type { TrafficSample } from '../../model/traffic-sample.ts';
import { TrafficSum } from './traffic-sum.ts';

const NOTHING = new TrafficSum();

/** What happened to each service and each instance. */
export class TrafficSums {
  readonly #services = new Map<string, TrafficSum>();
  readonly #instances = new Map<string, TrafficSum>();

  /** @param overMs - the time that the rates are of, in milliseconds. */
  add({ services, instances }: TrafficSample, overMs: number): void {
    for (const { service, ended, failed } of services) sumIn(this.#services, service).count(ended, failed, overMs);
    for (const { service, instanceId, requests, failures, latencies } of instances) {
      sumIn(this.#services, service).took(latencies);
      const sum = sumIn(this.#instances, instanceId);
      sum.count(requests, failures, overMs);
      sum.took(latencies);
    }
  }

  ofService(name: string, inFlight: number): Traffic {
    return (this.#services.get(name) ?? NOTHING).traffic(inFlight);
  }

  ofInstance(id: string, inFlight: number): Traffic {
    return (this.#instances.get(id) ?? NOTHING).traffic(inFlight);
  }
}

function sumIn(sums: Map<string, TrafficSum>, key: string): TrafficSum {
  const known = sums.get(key);
  if (known !== undefined) return known;
  const sum = new TrafficSum();
  sums.set(key, sum);
  return sum;
}
