import type { HeimdallEvent } from '../model/event.ts';
import type { Kept } from './kept.ts';

/** A registry that is copied. */
export interface CopySource {
  /** For people. */
  readonly name: string;
  /** The pids of those that are alive; a manager's is null when there is none. */
  users(): Promise<{ readonly manager: number | null; readonly proxies: readonly number[] }>;
  /** Keeps managers away until it is closed. @throws {HeimdallError} MANAGER_RUNNING. */
  hold(): Promise<void>;
  /** One picture. @throws {HeimdallError} REGISTRY_UNAVAILABLE, REGISTRY_BROKEN. */
  read(): Promise<Kept>;
  close(): Promise<void>;
}

/** A registry that another one is copied into. */
export interface CopyTarget {
  /** For people. */
  readonly name: string;
  /** What is there already, in words; null: nothing. @throws {HeimdallError} MANAGER_RUNNING; REGISTRY_UNAVAILABLE. */
  content(): Promise<string | null>;
  /**
   * From now on no manager begins here, until everything is copied.
   * @param force - deletes what is there.
   * @throws {HeimdallError} MANAGER_RUNNING; INVALID_REQUEST when something is there. Nothing has changed then.
   */
  begin(from: string, force: boolean): Promise<void>;
  /**
   * All of it, and then the event; whoever looks sees a whole registry or one that is not usable yet.
   * @param onProgress - of the whole, from 0 to 1.
   */
  write(kept: Kept, done: HeimdallEvent, onProgress: (part: number) => void): Promise<void>;
  close(): Promise<void>;
}
