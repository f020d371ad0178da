import type { Instance } from '../model/instance.ts';

/** How long an announced instance stays without a sign of its agent, in milliseconds. */
export const ANNOUNCEMENT_TTL_MS = 8_000;
/** Between two signs of life of an agent, in milliseconds. */
export const ANNOUNCEMENT_BEAT_MS = 2_000;

/** An app that an agent has found running. */
export type Announcement = Pick<Instance, 'service' | 'host' | 'port' | 'weight' | 'version'> & {
  readonly node: string;
  readonly agent: NonNullable<Instance['agent']>;
};

/**
 * Instances that agents announce. Nobody spawned them, and nobody restarts them: they are there as long as their agents say
 * so. What becomes of them meanwhile (`failed` when the app is found dead, `draining`, gone) goes the way of every instance.
 * Every promise rejects with REGISTRY_UNAVAILABLE or REGISTRY_BROKEN when the store cannot be used.
 */
export interface Announcements {
  /**
   * Puts an instance that is `ready` into the registry, for `ttlMs`. One that its agent has announced before on this host and
   * port keeps its id, and takes over what is told now; so does one of another agent that has been silent for longer than that.
   * One that is `stopped` does not: it was removed, and is only there to tell its agent so.
   * @throws {HeimdallError} PORT_TAKEN when somebody else's instance is there; LIFECYCLE_CONFLICT while it is being drained.
   */
  announce(announcement: Announcement, ttlMs: number): Promise<Instance>;
  /**
   * A sign of life: from now on they stay for another `ttlMs`.
   * @param ids - of instances that the agent has announced.
   * @returns those that are not there (any more): they are to be announced again.
   */
  renew(agent: string, ids: readonly string[], ttlMs: number): Promise<readonly string[]>;
  /**
   * To be called every second: takes those away whose agents have been silent for too long. A service is not left without
   * any that is ready for that reason alone: it may be the agents' way to us that is broken, and probes tell what still serves.
   * @returns them, each to one manager only.
   */
  expire(): Promise<readonly Instance[]>;
}
