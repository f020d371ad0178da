import { HeimdallError } from '../model/errors.ts';
import type { SharedState } from './shared-state.ts';

/** More than one machine has ports for, and services than anybody writes into a file. */
export const ROOM = { upstreams: 32_768, pools: 1_024 };

/** Gives out the slots of a `SharedState`; of the main thread alone. */
export class SlotAllocator {
  readonly state: SharedState;
  /** Grows with every picture that the other threads are sent. */
  generation = 0;
  /** Whether all of them have one of a later generation in force; without other threads, always. */
  isPast: (generation: number) => boolean = () => true;
  #nextUpstream = 0;
  #nextPool = 0;
  #ordinal = 0;
  readonly #retired: Retired[] = [];
  readonly #retiredPools: Retired[] = [];

  constructor(state: SharedState) {
    this.state = state;
  }

  /** @throws {HeimdallError} CAPACITY_EXCEEDED */
  upstream(): number {
    const isFree = ({ slot, generation }: Retired) => this.state.inFlight(slot) === 0 && this.isPast(generation);
    const slot = reusable(this.#retired, isFree) ?? this.#nextUpstream;
    if (slot === this.#nextUpstream) this.#nextUpstream += 1;
    if (slot >= this.state.size.upstreams) throw tooMany(`${this.state.size.upstreams} instances`);
    this.#ordinal += 1;
    this.state.clear(slot, this.#ordinal);
    return slot;
  }

  /** The place is used again once no request runs on the upstream, and no thread knows it any more. */
  retire(slot: number): void {
    this.#retired.push({ slot, generation: this.generation });
  }

  retirePool(slot: number): void {
    this.#retiredPools.push({ slot, generation: this.generation });
  }

  /** @throws {HeimdallError} CAPACITY_EXCEEDED */
  pool(): number {
    const isFree = ({ slot, generation }: Retired) => this.state.waiting(slot) === 0 && this.isPast(generation);
    const pool = reusable(this.#retiredPools, isFree) ?? this.#nextPool;
    if (pool === this.#nextPool) this.#nextPool += 1;
    if (pool >= this.state.size.pools) throw tooMany(`${this.state.size.pools} services`);
    this.state.clearPool(pool);
    return pool;
  }
}

/** A place that was given back, and the generation that was in force then. */
interface Retired {
  readonly slot: number;
  readonly generation: number;
}

function reusable(retired: Retired[], isFree: (candidate: Retired) => boolean): number | undefined {
  const index = retired.findIndex(isFree);
  return index === -1 ? undefined : retired.splice(index, 1)[0]?.slot;
}

function tooMany(what: string): HeimdallError {
  return new HeimdallError('CAPACITY_EXCEEDED', `This load balancer has room for ${what}.`);
}
