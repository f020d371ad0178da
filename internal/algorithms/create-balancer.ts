import type { Algorithm } from '../model/algorithms.ts';
import type { Balancer } from './balancer.ts';
import { IpUrlHash } from './ip-url-hash.ts';
import { LeastConnections } from './least-connections.ts';
import { LeastTime } from './least-time.ts';
import { RandomTwoChoices } from './random-two-choices.ts';
import { RoundRobin } from './round-robin.ts';
import { StickyRoundRobin } from './sticky-round-robin.ts';
import { newTurn, type TurnMemory } from './turn.ts';
import { WeightedRoundRobin } from './weighted-round-robin.ts';

/** The part of a service that a balancer is made from. */
interface BalancerSettings {
  readonly algorithm: Algorithm;
  readonly hash: { readonly balanceFactor: number | null };
}

/** What a balancer remembers besides what it notes on the candidates. */
export interface BalancerMemory {
  readonly turn: TurnMemory;
  /** The turns among equals. */
  readonly ties: TurnMemory;
}

/**
 * A new balancer for one service; balancers of several threads that are given the same memory and candidates with the same
 * memory balance as one.
 * @param random - at least 0, below 1; only `random-two-choices` asks for it.
 */
export function createBalancer(
  settings: BalancerSettings,
  memory: BalancerMemory = { turn: newTurn(), ties: newTurn() },
  random: () => number = Math.random,
): Balancer {
  switch (settings.algorithm) {
    case 'round-robin':
      return new RoundRobin(memory.turn);
    case 'weighted-round-robin':
      return new WeightedRoundRobin();
    case 'sticky-round-robin':
      return new StickyRoundRobin();
    case 'ip-url-hash':
      return new IpUrlHash(settings.hash);
    case 'least-connections':
      return new LeastConnections(memory.ties);
    case 'least-time':
      return new LeastTime(memory.ties);
    case 'random-two-choices':
      return new RandomTwoChoices(random);
  }
}
