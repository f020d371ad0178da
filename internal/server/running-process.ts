import type { ProcessIdentity } from '../model/instance.ts';

/** How a process ended; both null when it was started by an earlier manager, which alone could have been told. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** The process group of one instance, whoever started it. */
export interface RunningProcess {
  readonly identity: ProcessIdentity;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Resolves when the leader of the group has ended; never rejects. */
  readonly exited: Promise<Exit>;
  /** The last lines of this run's output. */
  tail(): Promise<string[]>;
  /**
   * `signal` to the whole group, by default SIGTERM, SIGKILL after `graceMs` (0: at once); resolves when no member is left.
   * @returns false when a member outlives even that.
   */
  stop(graceMs: number, signal?: NodeJS.Signals): Promise<boolean>;
  /** Lets the process run on without this manager: nothing of ours waits for it any more. */
  release(): void;
}

/** `exited with code 1 after 12 s`, `killed by SIGKILL after 0.4 s`. */
export function describeExit({ code, signal, at }: Exit, startedAt: number): string {
  const how = signal ? `killed by ${signal}` : code === null ? 'exited' : `exited with code ${code}`;
  return `${how} after ${inSeconds(at - startedAt)}`;
}

/** `0.4 s` below ten seconds, `12 s` above. */
export function inSeconds(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1_000;
  return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))} s`;
}
