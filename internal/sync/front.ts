import type { Picture, SyncedServer } from './picture.ts';

/** What became of a picture that is in force now. */
export interface Applied {
  /** Whether anything had to be changed for it. */
  readonly changed: boolean;
  /** What people should know, such as servers for which there was no room; mostly none. */
  readonly warnings: readonly string[];
}

/** What a front would be told. */
export interface Draft extends Applied {
  /** For people to read. */
  readonly text: string;
}

/** A load balancer that is not ours, which is kept true to the registry. */
export interface Front {
  /** As people call it. */
  readonly name: string;
  /** What nobody else may set at the same time: one would undo the work of the other, again and again. */
  readonly claims: readonly string[];
  /** At least so many milliseconds lie between two changes. */
  readonly paceMs: number;
  /**
   * Resolves when the picture is in force: no new request goes to a server that is not `up` in it.
   * @throws {FrontError} what was in force before still is, as far as is known.
   */
  apply(picture: Picture, signal: AbortSignal): Promise<Applied>;
  /** What `apply` would do; changes nothing. @throws {FrontError} */
  draft(picture: Picture): Promise<Draft>;
  /** Requests that run on these servers, or may yet get to them: at least one where nobody can tell. By id. */
  inFlight(servers: readonly SyncedServer[]): Promise<ReadonlyMap<string, number>>;
  /** Whether what was applied last still is in force, for all that can be seen; a restart may have undone it. */
  isCurrent(): Promise<boolean>;
}

/** Why a front did not take a picture over, for people: what was wrong, and what to do. */
export class FrontError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FrontError';
  }
}
