import type { Ports } from '../../chaos/load.ts';
import type { ActName, PlannedAct } from '../../chaos/schedule.ts';

/** How an act is done; one that is not there cannot be done without a gap. */
export type Doings = Readonly<Partial<Record<ActName, (act: PlannedAct) => Promise<void>>>>;

/** A peer that runs, with two services of sample backends. Nothing of it remains when it is disposed of. */
export interface PeerSite extends AsyncDisposable {
  readonly ports: Ports;
  readonly doings: Doings;
  /** Rejects unless everything that should run does, and gets traffic. */
  isWell?(): Promise<void>;
}

/** Something that keeps a service available while it changes, in one way of setting it up. */
export interface Peer {
  readonly name: string;
  readonly about: string;
  /** Whether a client can come back to the same instance. */
  readonly isSticky: boolean;
  /** What is installed; or, when nothing is, what to do about it. */
  readonly installed: { readonly version: string } | { readonly missing: string };
  start(): Promise<PeerSite>;
}
