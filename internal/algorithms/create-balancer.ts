import type { Algorithm } from '../model/service.ts';
import type { Balancer } from './balancer.ts';
import { IpUrlHash } from './ip-url-hash.ts';
import { LeastConnections } from './least-connections.ts';
import { LeastTime } from './least-time.ts';
import { RandomTwoChoices } from './random-two-choices.ts';
import { RoundRobin } from './round-robin.ts';
import { StickyRoundRobin } from './sticky-round-robin.ts';
import { WeightedRoundRobin } from './weighted-round-robin.ts';

/** The part of a service that a balancer is made from. */
interface BalancerSettings {
  readonly algorithm: Algorithm;
  readonly hash: { readonly balanceFactor: number | null };
}

/**
 * A new balancer for one service; its memory is its own and that of the candidates it is shown.
 * @param random - at least 0, below 1; only `random-two-choices` asks for it.
 */
export function createBalancer(settings: BalancerSettings, random: () => number = Math.random): Balancer {
  switch (settings.algorithm) {
    case 'round-robin':
      return new RoundRobin();
    case 'weighted-round-robin':
      return new WeightedRoundRobin();
    case 'sticky-round-robin':
      return new StickyRoundRobin();
    case 'ip-url-hash':
      return new IpUrlHash(settings.hash);
    case 'least-connections':
      return new LeastConnections();
    case 'least-time':
      return new LeastTime();
    case 'random-two-choices':
      return new RandomTwoChoices(random);
  }
}
