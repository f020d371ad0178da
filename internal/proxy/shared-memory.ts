import type { BalancerMemory } from '../algorithms/create-balancer.ts';
import type { TurnMemory } from '../algorithms/turn.ts';
import type { SharedState } from './shared-state.ts';

/** What the balancer of a pool remembers, the same for all threads. */
export function sharedMemory(state: SharedState, pool: number): BalancerMemory {
  return { turn: new SharedTurn(state.turns, pool), ties: new SharedTurn(state.ties, pool) };
}

class SharedTurn implements TurnMemory {
  readonly #column: Float64Array;
  readonly #at: number;

  constructor(column: Float64Array, pool: number) {
    this.#column = column;
    this.#at = 2 * pool;
  }

  get holder(): number {
    return this.#column[this.#at] ?? 0;
  }

  set holder(ordinal: number) {
    this.#column[this.#at] = ordinal;
  }

  get left(): number {
    return this.#column[this.#at + 1] ?? 0;
  }

  set left(picks: number) {
    this.#column[this.#at + 1] = picks;
  }
}
