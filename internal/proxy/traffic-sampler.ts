import { BUCKETS } from '../model/latency-buckets.ts';
import { sparseOf } from '../model/sparse-counts.ts';
import type { InstanceSample, ServiceSample, TrafficSample } from '../model/traffic-sample.ts';
import { addSince } from './latency-histograms.ts';
import type { EndedRequests } from './request-counts.ts';
import type { ServicePool } from './service-pool.ts';
import type { Upstream } from './upstream.ts';

/** What a pool was asked for, as it was at a look. */
type Demand = EndedRequests & { readonly waiting: number };

/** What an upstream had done at a look. */
interface Seen {
  readonly picks: number;
  readonly requests: number;
  readonly failures: number;
  readonly inFlight: number;
  readonly latencies: Uint32Array;
}

/** What an instance has done since the beginning of the sample, in whichever processes. */
interface Gains {
  readonly service: string;
  requests: number;
  failures: number;
  inFlight: number;
  readonly latencies: Float64Array;
}

const UNSEEN: Seen = { picks: 0, requests: 0, failures: 0, inFlight: 0, latencies: new Uint32Array(BUCKETS) };
const UNASKED: Demand = { ended: 0, failed: 0, waiting: 0 };

/**
 * Adds up what has happened from look to look, until the next sample begins. What an upstream does between the last look
 * and its removal is lost. Of the main thread alone.
 */
export class TrafficSampler {
  readonly #pools: () => Iterable<ServicePool>;
  readonly #asked = new WeakMap<ServicePool, Demand>();
  readonly #seen = new WeakMap<Upstream, Seen>();
  #services = new Map<string, ServiceSample>();
  #instances = new Map<string, Gains>();

  constructor(pools: () => Iterable<ServicePool>) {
    this.#pools = pools;
  }

  /** Whether there is nothing in the sample so far. */
  get isEmpty(): boolean {
    return this.#services.size === 0 && this.#instances.size === 0;
  }

  /** @returns whether anything has happened since the last look, or is under way. */
  look(): boolean {
    let isNews = false;
    for (const gains of this.#instances.values()) gains.inFlight = 0; // of those that are gone
    for (const pool of this.#pools()) {
      isNews = this.#lookAt(pool) || isNews;
      for (const upstream of pool.upstreams()) isNews = this.#lookInto(upstream) || isNews;
    }
    return isNews;
  }

  sample(): Pick<TrafficSample, 'services' | 'instances'> {
    const instances = Array.from(this.#instances, ([instanceId, { latencies, ...gains }]): InstanceSample => {
      return { instanceId, ...gains, latencies: sparseOf(latencies) };
    });
    return { services: [...this.#services.values()], instances };
  }

  /** The next sample begins with what happens after the last look. */
  begin(): void {
    this.#services = new Map();
    this.#instances = new Map();
  }

  #lookAt(pool: ServicePool): boolean {
    const { name, waiting, endedRequests: now } = pool;
    const before = this.#asked.get(pool) ?? UNASKED;
    if (now.ended === before.ended && waiting === 0 && before.waiting === 0) return false;
    this.#asked.set(pool, { ...now, waiting });
    const known = this.#services.get(name);
    this.#services.set(name, {
      service: name,
      ended: (known?.ended ?? 0) + Math.max(0, now.ended - before.ended),
      failed: (known?.failed ?? 0) + Math.max(0, now.failed - before.failed),
      waiting,
    });
    return true;
  }

  #lookInto(upstream: Upstream): boolean {
    const before = this.#seen.get(upstream) ?? UNSEEN;
    const { id, failures, inFlight, picks } = upstream;
    if (inFlight === 0 && before.inFlight === 0 && picks === before.picks) return false;
    const { latencies } = upstream;
    // A request that comes while we look may be counted as one that ended, or not yet: the next look knows.
    const now = { picks, requests: Math.max(before.requests, picks - inFlight), failures, inFlight, latencies };
    this.#seen.set(upstream, now);
    const gains = this.#instances.get(id) ?? {
      service: upstream.instance.service,
      requests: 0,
      failures: 0,
      inFlight: 0,
      latencies: new Float64Array(BUCKETS),
    };
    this.#instances.set(id, gains);
    gains.requests += now.requests - before.requests;
    gains.failures += Math.max(0, failures - before.failures);
    gains.inFlight += inFlight;
    addSince(gains.latencies, before.latencies, latencies);
    return true;
  }
}
