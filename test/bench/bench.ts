import type { Candidate } from './candidates/candidate.ts';
import type { CorePlan } from './core-plan.ts';
import type { FreePorts } from './free-ports.ts';
import type { Workshop } from './workshop.ts';

export interface Pace {
  /** How many times every candidate has its turn. */
  readonly rounds: number;
  readonly warmUpSeconds: number;
  readonly windowSeconds: number;
  /** How long a slow backend that has become fast may wait for its share of the requests. */
  readonly recoverySeconds: number;
}

/** What a case has to work with; processes and files are gone when the case is over. */
export interface Bench {
  readonly workshop: Workshop;
  readonly ports: FreePorts;
  readonly plan: CorePlan;
  readonly pace: Pace;
  readonly candidates: readonly Candidate[];
}
