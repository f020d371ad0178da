import { createBalancer } from '../algorithms/create-balancer.ts';
import type { Service } from '../model/service.ts';
import { lonePool, Pool } from './pool.ts';
import type { PoolEvents, PoolPlace } from './pool-parts.ts';
import { sharedMemory } from './shared-memory.ts';
import { StickyCookie } from './sticky.ts';

/** A pool with the service it belongs to: the part of the configuration that steers it, and what follows from that. */
export class ServicePool extends Pool {
  #service: Service;
  #sticky: StickyCookie | null;
  /** HTML for browsers whose request was held in vain; null: there is none. */
  page: string | null = null;
  /** How many times one of its upstreams was ejected; of the main thread alone. */
  ejections = 0;

  constructor(
    service: Service,
    cookieSecret: string,
    events: PoolEvents,
    now: () => number,
    place: PoolPlace = lonePool(),
  ) {
    super(service.name, createBalancer(service, sharedMemory(place.state, place.pool)), events, now, place);
    this.#service = service;
    this.#sticky = stickyCookieOf(service, cookieSecret);
    this.limits = service;
  }

  get service(): Service {
    return this.#service;
  }

  /** Null unless the service's algorithm is sticky. */
  get sticky(): StickyCookie | null {
    return this.#sticky;
  }

  /** Takes over changed settings; upstreams, connections and, where the algorithm stays, its memory are not touched. */
  configure(service: Service, cookieSecret: string): void {
    const { algorithm, hash } = this.#service;
    if (service.algorithm !== algorithm || service.hash.balanceFactor !== hash.balanceFactor) {
      this.balancer = createBalancer(service, sharedMemory(this.place.state, this.place.pool));
    }
    this.#service = service;
    this.#sticky = stickyCookieOf(service, cookieSecret);
    this.limits = service;
  }
}

function stickyCookieOf(service: Service, secret: string): StickyCookie | null {
  if (service.algorithm !== 'sticky-round-robin') return null;
  return new StickyCookie(service.sticky.cookie ?? `heimdall_${service.name}`, service.sticky.secret ?? secret);
}
