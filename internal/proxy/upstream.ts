import type { Candidate } from '../algorithms/balancer.ts';
import { hash32 } from '../algorithms/hash.ts';
import type { Health } from '../model/health.ts';
import { incarnationOf, type Instance } from '../model/instance.ts';

/**
 * The data plane's live view of one process behind an instance. A restarted instance gets a new upstream: in-flight
 * requests and latency of the dead process say nothing about its successor.
 */
export class Upstream implements Candidate {
  readonly id: string;
  readonly seed: number;
  readonly incarnation: string;
  instance: Instance;
  weight: number;
  inFlight = 0;
  current = 0;
  effective = Number.NaN;
  cost = Number.NaN;
  costAt = 0;
  health: Health = 'unknown';
  healthCause = 'not checked yet';
  picks = 0;
  failures = 0;

  constructor(instance: Instance) {
    this.id = instance.id;
    this.seed = hash32(instance.id);
    this.incarnation = incarnationOf(instance);
    this.instance = instance;
    this.weight = instance.weight;
  }

  update(instance: Instance): void {
    this.instance = instance;
    this.weight = instance.weight;
  }
}
