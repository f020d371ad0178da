/** What the requests of clients have cost an instance: none, for some time, or all but a few that try it out. */
export const STANDINGS = ['in', 'ejected', 'on-trial'] as const;
export type Standing = (typeof STANDINGS)[number];

/** Why and until when an instance gets no requests, or only some that try it out. */
export interface Ejection {
  /** In words: `6 gateway errors in a row`. */
  readonly cause: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** From then on it is on trial; epoch milliseconds. */
  readonly until: number;
  /** How many ejections it is in a row, from 1; so many times longer it lasts. */
  readonly times: number;
}

/** An ejection as it is kept in the registry, so that it survives a restart of the load balancer. */
export interface EjectionRecord extends Ejection {
  readonly instanceId: string;
  /** `incarnationOf` the instance: an ejection never outlives the process that it is about. */
  readonly incarnation: string;
}
