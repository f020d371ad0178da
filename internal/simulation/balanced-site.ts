import { createLogger } from '../../pkg/logger/logger.ts';
import { createBalancer } from '../algorithms/create-balancer.ts';
import { type Instance, UNSPAWNED } from '../model/instance.ts';
import type { Algorithm } from '../model/algorithms.ts';
import { type Service, ServiceSchema } from '../model/service.ts';
import { Fleet } from '../proxy/fleet.ts';
import type { ServicePool } from '../proxy/service-pool.ts';
import { sharedMemory } from '../proxy/shared-memory.ts';
import { SharedState } from '../proxy/shared-state.ts';
import { SlotAllocator } from '../proxy/slot-allocator.ts';
import type { Random } from './random.ts';
import type { VirtualClock } from './virtual-clock.ts';

const SERVICE = 'simulated';
const NEVER_MIND = () => {};

export interface SiteSettings {
  readonly algorithm: Algorithm;
  /** In milliseconds; null: none. */
  readonly slowStart: number | null;
  /** Upstreams that there will ever be. */
  readonly room: number;
}

/** The load balancer's own fleet on a virtual clock: one service, whose upstreams are all healthy and never ejected. */
export class BalancedSite {
  readonly pool: ServicePool;
  readonly #clock: VirtualClock;
  readonly #fleet: Fleet;
  #rows: readonly Instance[] = [];

  constructor({ algorithm, slowStart, room }: SiteSettings, clock: VirtualClock, random: Random) {
    this.#clock = clock;
    const slots = new SlotAllocator(SharedState.create({ upstreams: room, pools: 1, threads: 0 }));
    this.#fleet = new Fleet({
      cookieSecret: 'nobody is given this cookie',
      now: () => clock.monotonic(),
      clock,
      slots,
      log: createLogger({ name: 'simulation', level: 'silent', pretty: false }),
      listener: {
        poolChanged: NEVER_MIND,
        poolRemoved: NEVER_MIND,
        healthChanged: NEVER_MIND,
        fellSilent: NEVER_MIND,
        ejectionsChanged: NEVER_MIND,
        failing: NEVER_MIND,
        upstreamRemoved: NEVER_MIND,
        drained: NEVER_MIND,
        held: NEVER_MIND,
      },
    });
    const service: Service = { ...ServiceSchema.parse({ name: SERVICE, algorithm }), slowStart };
    this.#fleet.configure([service]);
    const pool = this.#fleet.pool(SERVICE);
    if (pool === undefined) throw new Error('a fleet without the pool that it was configured with');
    const { state, pool: place } = pool.place;
    pool.balancer = createBalancer(service, sharedMemory(state, place), random);
    this.pool = pool;
  }

  /** @param isNew - its process has just been started: it gets its share by and by, when slow start is on. */
  join(id: string, weight: number, isNew: boolean): void {
    const startedAt = isNew ? this.#clock.now() : 0;
    this.#apply([...this.#rows, rowOf(id, weight, startedAt, this.#rows.length)]);
    const upstream = this.pool.get(id);
    if (upstream === undefined) throw new Error(`the fleet does not know the instance ${id} that it was given`);
    const { incarnation, health: from } = upstream;
    this.#fleet.healthChanged({ id, incarnation, from, to: 'healthy', cause: '', at: this.#clock.now() });
  }

  leave(id: string): void {
    this.#apply(this.#rows.filter((row) => row.id !== id));
  }

  weigh(id: string, weight: number): void {
    this.#apply(this.#rows.map((row) => (row.id === id ? { ...row, weight } : row)));
  }

  #apply(rows: readonly Instance[]): void {
    this.#rows = rows;
    this.#fleet.apply(rows);
  }
}

function rowOf(id: string, weight: number, startedAt: number, index: number): Instance {
  return {
    id,
    service: SERVICE,
    host: '127.0.0.1',
    port: 1 + index,
    weight,
    ...UNSPAWNED,
    lifecycle: 'ready',
    startedAt,
  };
}
