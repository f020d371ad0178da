import type { ProxyTraffic } from '../registry/registry.ts';

/** Requests that ended, and how many of them counted against the instance. */
export interface Tally {
  readonly requests: number;
  readonly failures: number;
}

/** So many failures at least, before a share of them tells anything. */
const MIN_FAILURES = 5;

const NONE: Tally = { requests: 0, failures: 0 };

/** The instances of the release that is being brought about, or those of any other. */
export type Side = 'new' | 'old';

/** Adds up what load balancers tell of the instances of a service, from the first look on; counters that begin anew lose nothing. */
export class TrafficTally {
  readonly #last = new Map<string, Tally>();
  readonly #sums: Record<Side, Tally> = { new: NONE, old: NONE };
  #isFirst = true;

  /** @param sideOf - of an instance that is not gone yet; undefined: it is none of the service's. */
  look(traffic: readonly ProxyTraffic[], sideOf: (instanceId: string) => Side | undefined): void {
    for (const { proxyId, instances } of traffic) {
      for (const { instanceId, incarnation, requests, failures } of instances) {
        const side = sideOf(instanceId);
        if (side === undefined) continue;
        const key = `${proxyId} ${incarnation}`;
        // What an old instance has done before does not count; a new one has done nothing before.
        const known = this.#last.get(key) ?? (this.#isFirst && side === 'old' ? { requests, failures } : NONE);
        const before = requests < known.requests ? NONE : known; // a counter that is smaller than before has begun anew
        const sum = this.#sums[side];
        this.#last.set(key, { requests, failures });
        this.#sums[side] = {
          requests: sum.requests + requests - before.requests,
          failures: sum.failures + Math.max(0, failures - before.failures),
        };
      }
    }
    this.#isFirst = false;
  }

  sum(side: Side): Tally {
    return this.#sums[side];
  }
}

/**
 * Whether the share of failed requests is above the other's by more than allowed.
 * @param allowed - a share from 0 to 1.
 */
export function isWorse(present: Tally, other: Tally, allowed: number): boolean {
  return present.failures >= MIN_FAILURES && shareOf(present) > shareOf(other) + allowed;
}

export function shareOf({ requests, failures }: Tally): number {
  return requests === 0 ? 0 : failures / requests;
}
