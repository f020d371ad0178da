import { below, pick, type Random, shuffled } from './random.ts';

/** What an operator does. Nobody may notice, whatever the request. */
export const ACTS = [
  'deploy',
  'deploy what does not run',
  'restart',
  'scale',
  'add',
  'remove',
  'pause and resume',
  'replace the load balancer',
  'replace the manager',
  'change the configuration',
  'change a service by hand',
] as const;
const SERVICES = ['web', 'shop'] as const;
const VERSIONS = ['v1', 'v2'] as const;
const ALGORITHMS = ['least-time', 'round-robin', 'random-two-choices', null] as const;

export type ActName = (typeof ACTS)[number];
export type Service = (typeof SERVICES)[number];

/** One act, with all that any act may need: what is drawn depends on the seed alone, not on what is found. */
export interface PlannedAct {
  readonly name: ActName;
  readonly service: Service;
  readonly version: (typeof VERSIONS)[number];
  /** 1 to 5. */
  readonly instances: number;
  /** Which of those that run, in [0, 1). */
  readonly which: number;
  readonly algorithm: (typeof ALGORITHMS)[number];
  /** 1 to 3. */
  readonly weight: number;
}

/** Of the instances of each service, when a run begins. */
export const INSTANCES: Readonly<Record<Service, number>> = { web: 3, shop: 2 };

/** Each act once. */
export function everyPlanned(random: Random): PlannedAct[] {
  return shuffled(random, ACTS).map((name) => ({ ...nextPlanned(random), name }));
}

export function nextPlanned(random: Random): PlannedAct {
  return {
    name: pick(random, ACTS) ?? 'restart',
    service: pick(random, SERVICES) ?? 'web',
    version: pick(random, VERSIONS) ?? 'v1',
    instances: 1 + below(random, 5),
    which: random(),
    algorithm: pick(random, ALGORITHMS) ?? null,
    weight: 1 + below(random, 3),
  };
}
